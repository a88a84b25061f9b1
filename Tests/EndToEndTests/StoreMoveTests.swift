import Foundation
import KlingSimulator
import TestKit
import Testing

/// `kling-gateway store copy`, with a gateway before and one after.
@Suite(.aFewAtATime, .needsNoStore) struct StoreMoveTests {
    private static let account = Rig.Account(name: "one", settings: "lookup: yes, concurrency: 1")

    /// Starts a gateway on a database that has room for more tasks, in the folder of the rig's master key.
    private func gateway(_ rig: Rig, store: String) async throws -> GatewayProcess {
        let file = """
            upstreams:
              - { name: one, url: \(rig.kling.url), access_key: access-one, secret_key: secret-one, lookup: yes,
                  concurrency: 9 }
            """
        let environment = [
            "KLING_GATEWAY_CONFIG": try rig.folder.write(file, to: "copy.yaml"), "KLING_GATEWAY_STORE": store,
        ]
        return try await GatewayProcess(
            kling: "", folder: rig.folder, environment: environment.merging(Fixture.noAccount) { own, _ in own })
    }

    @Test func `a queued create is sent and an uploaded picture is served after a move to PostgreSQL and back`()
        async throws
    {
        try await Rig.run([Self.account], duration: 3_600_000...3_600_000) { rig in
            let person = Data(SamplePictures.person).base64EncodedString()
            var ids: [String] = []
            for order in ["first", "second"] {
                let body =
                    #"{"human_image":"\#(person)","cloth_image":"https://a.test/c.png","external_task_id":"\#(order)"}"#
                ids.append(try await rig.gateway.ask("POST", Fixture.path, body: body).createdTask())
            }
            let link = try await rig.gateway.uploaded(SamplePictures.person)
            let picture = "/v1/kling/assets/\(try #require(link.split(separator: "/").last))"
            try await rig.stop()
            #expect(rig.kling.tasks.count == 1)

            let (files, database) = (try await rig.folder.store, try await PostgresServer.shared.makeDatabase())
            _ = try await rig.command("store", "copy", files, database)
            let gateway = try await gateway(rig, store: database)
            try await eventually("the queued create is sent") { rig.kling.tasks.count == 2 }
            for id in ids { #expect(try await gateway.ask("GET", "\(Fixture.path)/\(id)").status == 200) }
            #expect(try await gateway.ask("GET", picture).body == Array(SamplePictures.person))
            #expect(try await gateway.ask("GET", picture, key: GatewayProcess.otherKey).status == 404)
            #expect(try await gateway.stop() == 0)

            for name in ["gateway.db", "assets", "spool", "pictures"] {
                try FileManager.default.removeItem(atPath: rig.folder.path(name))
            }
            _ = try await rig.command("store", "copy", database, files)
            try await rig.start()
            #expect(try await rig.gateway.ask("GET", picture).body == Array(SamplePictures.person))
            for id in ids { #expect(try await rig.query(id).status == 200) }
        }
    }

    @Test func `a copy that was killed while it wrote a body goes on, with the folder that the gateway is given`()
        async throws
    {
        try await Rig.run([Self.account], duration: 3_600_000...3_600_000) { rig in
            let spool = rig.folder.path("queued")
            try await rig.stop()
            try await rig.start(settings: "spool: \(spool)")
            _ = try await rig.createdTask()
            _ = try await rig.createdTask()
            let link = try await rig.gateway.uploaded(SamplePictures.person)
            try await rig.stop()

            // A pipe that has the name of the draft halts the copy when it opens that.
            let assets = rig.folder.path("copy.db.assets")
            try FileManager.default.createDirectory(atPath: assets, withIntermediateDirectories: true)
            let names = try FileManager.default.contentsOfDirectory(atPath: rig.folder.path("assets"))
            let draft = "\(assets)/\(try #require(names.first { $0.hasSuffix(".png") })).part"
            #expect(mkfifo(draft, 0o600) == 0)
            let copy = "sqlite:" + rig.folder.path("copy.db")
            let killed = try await rig.program(["store", "copy", rig.folder.store, copy])
            _ = try await killed.errorLine { $0.hasPrefix("pictures for Kling: 0 copied") ? () : nil }
            killed.signal(SIGKILL)
            _ = try await killed.end()
            #expect(!FileManager.default.fileExists(atPath: rig.folder.path("copy.db")))
            #expect(try FileManager.default.contentsOfDirectory(atPath: assets).allSatisfy { !$0.hasSuffix(".png") })

            try FileManager.default.removeItem(atPath: draft)
            _ = try await rig.command("store", "copy", try await rig.folder.store, copy)
            let pictures = try FileManager.default.contentsOfDirectory(atPath: assets).filter { $0.hasSuffix(".png") }
            #expect(pictures.count == 1 && pictures.allSatisfy { link.contains($0.suffix(36)) })
            let queued = try FileManager.default.contentsOfDirectory(atPath: spool).filter { $0.hasSuffix(".json") }
            #expect(queued.count == 1)
            try await rig.start()
        }
    }
}
