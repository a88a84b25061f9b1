import Foundation
import KlingSimulator
import TestKit
import Testing

/// An account that is sent pictures in the form that suits Kling best.
@Suite(.aFewAtATime) struct NormalizingTests {
    private static let settings = "query: { freshness: 10ms }\ndispatch: { wait: 10ms }"
    private static let allowed = settings + "\nfetch: { allow: [127.0.0.0/8] }"
    private static let account = Rig.Account(
        name: "kling", slots: 1, settings: "concurrency: 1, lookup: yes, pictures: normalize")

    /// The URL of a picture: the result of a task created for this purpose.
    private func picture(_ rig: Rig) async throws -> String {
        let id = try await rig.createdTask()
        try await eventually("there is a picture") { try await rig.status(id) == "succeed" }
        return "\(rig.kling.url)/results/\(id)/0.png"
    }

    private func create(_ rig: Rig, _ url: String) async throws -> RawClient.Answer {
        let body = #"{"human_image":"\#(url)","cloth_image":"\#(url)"}"#
        return try await rig.gateway.ask("POST", Fixture.path, body: body)
    }

    @Test func `pictures are fetched and sent as base64, both at once and from the queue`() async throws {
        try await Rig.run([Self.account], settings: Self.allowed, duration: 300...300) { rig in
            let url = try await picture(rig)
            let ids = [try await create(rig, url).createdTask(), try await create(rig, url).createdTask()]
            try await eventually("both are made") {
                for id in ids { if try await rig.status(id) != "succeed" { return false } }
                return true
            }
            #expect(rig.kling.tasks.count == 3)
            #expect(rig.kling.tasks.count { $0.personURL == nil } == 2, "Kling has got the pictures themselves")
        }
    }

    @Test func `an unfetchable picture is left to Kling, and a file that is not a picture is refused`() async throws {
        try await Rig.run([Self.account], settings: Self.allowed) { rig in
            let missing = "\(rig.kling.url)/results/none/0.png"
            _ = try await create(rig, missing).createdTask()
            #expect(rig.kling.tasks.last?.personURL == missing)
            let made = rig.creates()
            let health = "http://127.0.0.1:\(rig.gateway.adminPort)/healthz"
            let answer = try await create(rig, health)
            #expect(answer.status == 400 && answer.text.contains("human_image is "), "\(answer.text)")
            #expect(rig.creates() == made)
        }
    }

    /// 320 x 320 pixels of one color.
    static let webP = "UklGRioAAABXRUJQVlA4TB4AAAAvP8FPAAdQjyIXpf8BBWkbMPUvfzei/8n9v//3XwE="

    @Test(arguments: SimulatedAPI.either)
    func `WebP becomes JPEG for the older API, also from the queue, and is served unchanged to the newer`(
        _ api: SimulatedAPI
    ) async throws {
        var account = Rig.Account.speaking(api)
        account.slots = 1
        account.settings += ", concurrency: 1"
        try await Rig.run(
            [account], settings: Self.settings, isPublic: true, duration: 300...300, fetchesPictures: true
        ) { rig in
            let body = #"{"human_image":"\#(Self.webP)","cloth_image":"data:image/webp;base64,\#(Self.webP)"}"#
            var ids: [String] = []
            for _ in 0..<2 { ids.append(try await rig.gateway.ask("POST", Fixture.path, body: body).createdTask()) }
            try await eventually("both are made") {
                for id in ids { if try await rig.status(id) != "succeed" { return false } }
                return true
            }
            #expect(rig.kling.tasks.count == 2)
            let ends = rig.kling.tasks.map { $0.personURL?.suffix(5) }
            #expect(ends == Array(repeating: api == .kolors ? nil : ".webp", count: 2))
        }
    }

    @Test func `a broken WebP file is refused before anything is paid`() async throws {
        try await Rig.run(settings: Self.settings) { rig in
            let broken = Self.webP.dropLast(24)
            let body = #"{"human_image":"https://shop.example/p.png","cloth_image":"\#(broken)"}"#
            let answer = try await rig.gateway.ask("POST", Fixture.path, body: body)
            #expect(answer.status == 400 && answer.error["param"] as? String == "cloth_image", "\(answer.text)")
            #expect(answer.text.contains("is cut off") && rig.creates() == 0, "\(answer.text)")
        }
    }

    @Test func `an address that clients may not name is not fetched from`() async throws {
        try await Rig.run([Self.account], settings: Self.settings) { rig in
            let url = "\(rig.kling.url)/results/1/0.png"
            _ = try await create(rig, url).createdTask()
            #expect(rig.kling.tasks.last?.personURL == url)
        }
    }
}
