import Foundation
import TestKit
import Testing

/// `/readyz` reports a store that cannot be written to, and its recovery.
@Suite(.aFewAtATime) struct StoreReadinessTests {
    private func isReady(_ gateway: GatewayProcess) async throws -> Bool {
        let answer = try await gateway.ask("GET", "/readyz", key: nil, admin: true)
        #expect((answer.status == 200) == answer.text.contains("\"ready\":true"))
        if answer.status != 200 {
            let checks = answer.json["checks"] as? [String: String] ?? [:]
            #expect(checks["store"] != "ok" && checks["serving"] == "ok", "\(answer.text)")
        }
        return answer.status == 200
    }

    @Test func `a store held by another process makes the gateway unready until it is released`() async throws {
        try await Fixture.run { fixture in
            #expect(try await isReady(fixture.gateway))
            let holder = try await HeldStore(fixture.gateway.folder)
            try await holder.hold()
            try await eventually("it is not ready") { try await !isReady(fixture.gateway) }
            try await holder.release()
            try await eventually("it is ready again") { try await isReady(fixture.gateway) }
        }
    }

    /// Whether this system lets every user mount a disk.
    static let canMount: Bool = {
        let probe = "mount -t tmpfs tmpfs /mnt"
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["unshare", "-rm", "sh", "-c", probe]
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()

    private static let mounting = #"mount -t tmpfs -o size=2m tmpfs "$0" && exec "$@""#

    @Test(
        .enabled(if: canMount, "this system does not let every user mount a disk"),
        .needsSQLite("PostgreSQL's disk is its server's"))
    func `a full disk makes the gateway unready and keeps it from paying until there is room`() async throws {
        try await Fixture.run(duration: 1...1) { fixture in
            let disk = try TemporaryFolder()
            let store = ["KLING_GATEWAY_STORE": "sqlite:" + disk.path("gateway.db"), "KLING_GATEWAY_QUEUE": "off"]
            let gateway = try await GatewayProcess(
                kling: fixture.kling.url, environment: store,
                launcher: ["unshare", "-rm", "sh", "-c", Self.mounting, disk.path("")])
            #expect(try await isReady(gateway))
            let made = Fixture.path + "/" + (try await gateway.create().createdTask())
            try await eventually("a task has ended") {
                try await gateway.ask("GET", made).data["task_status"] as? String == "succeed"
            }
            // Only the gateway's process sees the disk, so the test reaches it through that process.
            let filler = "/proc/\(gateway.program.identifier)/root" + disk.path("filler")
            _ = FileManager.default.createFile(atPath: filler, contents: nil)
            let fills = try #require(FileHandle(forWritingAtPath: filler))
            while (try? fills.write(contentsOf: Data(repeating: 1, count: 4096))) != nil {}
            try await eventually("it is not ready") { try await !isReady(gateway) }
            // Writes still succeed while the store's files have room for them.
            var (before, refused) = (0, try await gateway.create())
            try await eventually("a create is refused") {
                before = fixture.creates
                refused = try await gateway.create()
                return refused.status == 503
            }
            #expect(refused.code == 5001 && refused["Retry-After"] != nil, "\(refused.text)")
            #expect(fixture.creates == before)
            #expect(try await gateway.ask("GET", made).data["task_status"] as? String == "succeed")
            try fills.truncate(atOffset: 0)
            try await eventually("it is ready again") { try await isReady(gateway) }
            #expect(try await gateway.create().status == 200)
            try await eventually("every task that was made is listed") {
                let list = try await gateway.ask("GET", Fixture.path + "?pageSize=500")
                return list.tasks.count == fixture.kling.tasks.count
            }
            #expect(try await gateway.stop() == 0)
        }
    }
}
