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

    /// Where a picture lies: the result of a task that was made for it.
    private func picture(_ rig: Rig) async throws -> String {
        let id = try await rig.createdTask()
        try await eventually("there is a picture") { try await rig.status(id) == "succeed" }
        return "\(rig.kling.url)/results/\(id)/0.png"
    }

    private func create(_ rig: Rig, _ url: String) async throws -> RawClient.Answer {
        let body = #"{"human_image":"\#(url)","cloth_image":"\#(url)"}"#
        return try await rig.gateway.ask("POST", Fixture.path, body: body)
    }

    @Test func `pictures are fetched and sent as base64, at once and from the queue`() async throws {
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

    @Test func `what cannot be fetched is left to Kling, and what is no picture is refused`() async throws {
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

    @Test func `addresses that clients may not name are not called`() async throws {
        try await Rig.run([Self.account], settings: Self.settings) { rig in
            let url = "\(rig.kling.url)/results/1/0.png"
            _ = try await create(rig, url).createdTask()
            #expect(rig.kling.tasks.last?.personURL == url)
        }
    }
}
