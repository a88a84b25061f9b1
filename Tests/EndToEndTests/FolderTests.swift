import Foundation
import TestKit
import Testing

/// The folders beside the store: who owns them, and what happens when the disk damages their files.
@Suite(.aFewAtATime, .needsSQLite("bodies are in PostgreSQL, not in files")) struct FolderTests {
    @Test func `a queued request damaged on disk is not sent, and the log says what was found`()
        async throws
    {
        let accounts = [Rig.Account(name: "one", slots: 1, settings: "lookup: yes, concurrency: 1")]
        try await Rig.run(accounts, duration: 3_600_000...3_600_000) { rig in
            _ = try await rig.createdTask()
            let (cut, rotten, whole) = (
                try await rig.createdTask(), try await rig.createdTask(), try await rig.createdTask()
            )
            let spool = rig.folder.path("spool")
            let files = try FileManager.default.contentsOfDirectory(atPath: spool).filter { $0.hasSuffix(".json") }
            #expect(Set(files) == Set([whole, cut, rotten].map { "\($0).json" }))
            try await rig.kill()
            try Self.change(spool + "/\(cut).json") { $0 = $0.prefix($0.count / 2) }
            try Self.change(spool + "/\(rotten).json") { $0[$0.count / 3] ^= 0x10 }
            try await rig.start([Rig.Account(name: "one", slots: 1, settings: "lookup: yes, concurrency: 9")])
            for id in [cut, rotten] {
                try await eventually("\(id) has failed") { try await rig.status(id) == "failed" }
                let message = try await rig.query(id).data["task_status_msg"] as? String
                #expect(message == "the request was lost; nothing was charged")
            }
            #expect(try await rig.status(whole) == "submitted")
            #expect(rig.kling.tasks.count == 1)
            let log = rig.gateway.program.errorText
            for id in [cut, rotten] {
                let line = log.split(separator: "\n").first { $0.contains("cannot be read") && $0.contains(id) }
                #expect(line?.contains("found") == true && line?.contains("expected") == true)
            }
        }
    }

    private static func change(_ path: String, _ body: (inout Data) -> Void) throws {
        let file = URL(filePath: path)
        var content = try Data(contentsOf: file)
        body(&content)
        try content.write(to: file)
    }

    @Test func `a second gateway on the same spool does not start and takes nothing from it`() async throws {
        let accounts = [Rig.Account(name: "one", slots: 1, settings: "lookup: yes, concurrency: 1")]
        try await Rig.run(accounts, duration: 3_600_000...3_600_000) { rig in
            _ = try await rig.createdTask()
            let queued = try await rig.createdTask()
            let (spool, other) = (rig.folder.path("spool"), try TemporaryFolder())
            var environment = try await GatewayProcess.environment(kling: rig.kling.url, other)
            environment["KLING_GATEWAY_CONFIG"] = try other.write("spool: \(spool)", to: "config.yaml")
            let second = try await Program.gateway(["serve"], environment: environment).end()
            #expect(second.status != 0)
            #expect(second.errors.contains("another kling-gateway uses the spool folder \(spool)"))
            #expect(second.errors.contains("Set `spool` to a folder of its own"))
            #expect(FileManager.default.fileExists(atPath: spool + "/\(queued).json"))
            // Once the first has stopped, its folder is free.
            try await rig.stop()
            let third = try await GatewayProcess(kling: rig.kling.url, folder: other, environment: environment)
            #expect(try await third.stop() == 0)
            try await rig.start()
        }
    }
}
