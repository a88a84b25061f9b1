import Base
import Foundation
import Pictures
import TaskStore
import TestKit
import Testing

@testable import Gateway

/// Pictures that the built gateway serves to Kling. The tests put them beside its store while it is down.
@Suite(.aFewAtATime, .needsSQLite("the tests put pictures into files")) struct HostedPictureTests {
    private static let content = [UInt8](repeating: 7, count: 3_000_001)
    private static let day = 86_400_000

    /// Puts a task's picture beside the store of a stopped gateway.
    private func host(
        _ rig: Rig, _ format: PictureFormat = .jpeg, for task: TaskID, _ content: [UInt8] = content
    ) async throws -> HostedPicture {
        let pictures = try HostedPictures(
            rig.folder.path("pictures"), bounds: HostedPictureBounds(), clock: GuardedClock())
        return try await pictures.host(ByteSlice(Bytes(content), 0..<content.count), format: format, for: task)
    }

    /// The gateway's id of the last task that was created at Kling.
    private func task(_ rig: Rig) throws -> TaskID {
        try #require(rig.kling.tasks.last?.externalTaskID.flatMap { TaskID($0) })
    }

    private func get(_ rig: Rig, _ name: String, _ method: String = "GET") async throws -> RawClient.Answer {
        try await rig.gateway.ask(method, "/pictures/\(name)", key: nil)
    }

    private func files(_ rig: Rig) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: rig.folder.path("pictures")).filter { $0 != ".lock" }
    }

    @Test(arguments: [(PictureFormat.jpeg, "image/jpeg"), (.png, "image/png"), (.webp, "image/webp")])
    func `Kling gets a picture by its name alone, even with little memory`(
        format: PictureFormat, type: String
    ) async throws {
        let settings = "limits: { body: 1MiB, buffered_bytes: 2MiB }"
        try await Rig.run(settings: settings, duration: Self.day...Self.day) { rig in
            _ = try await rig.createdTask()
            try await rig.stop()
            let picture = try await host(rig, format, for: task(rig))
            try await rig.start()
            let answer = try await get(rig, picture.name)
            #expect(answer.status == 200 && answer.body == Self.content)
            let head = try await get(rig, picture.name, "HEAD")
            #expect(head.status == 200 && head.body.isEmpty)
            for answer in [answer, head] {
                #expect(answer["Content-Type"] == type && answer["Content-Length"] == "3000001")
                #expect(answer["Cache-Control"] == "private, no-store" && answer["X-Content-Type-Options"] == "nosniff")
            }
            #expect(try await rig.gateway.ask("GET", "/pictures/\(picture.name)", key: "sk-wrong").status == 200)
        }
    }

    @Test func `other names get 404, other methods 405, and names are never listed, logged or counted`() async throws {
        try await Rig.run(duration: Self.day...Self.day) { rig in
            _ = try await rig.createdTask()
            try await rig.stop()
            let picture = try await host(rig, for: task(rig))
            try await rig.start()
            let letters = String(picture.name.dropLast(4))
            for name in [
                letters, letters + ".png", letters + ".jpeg", letters + ".jpg.part", "x" + picture.name,
                picture.name.uppercased(), picture.file, "..%2Fgateway.db", "%00", "*", "a/" + picture.name, "",
                String(repeating: "0", count: 32) + ".jpg", String(repeating: "0", count: 400),
            ] {
                let answer = try await get(rig, name)
                #expect(answer.status == 404 && answer.code == 1203, "\(name): \(answer.text)")
                #expect(!answer.text.contains(letters), "\(name)")
            }
            for method in ["POST", "PUT", "DELETE", "PATCH"] {
                let answer = try await get(rig, picture.name, method)
                #expect(answer.status == 405 && answer["Allow"] == "GET, HEAD", "\(method)")
            }
            for path in ["/pictures/", "//pictures//", "/%70ictures/"] {
                #expect(try await rig.gateway.ask("GET", path + picture.name, key: nil).status == 200)
            }
            #expect(try await rig.gateway.ask("GET", "/pictures/" + picture.name, admin: true).status == 404)
            let metrics = try await rig.gateway.ask("GET", "/metrics", admin: true).text
            #expect(metrics.contains("kling_gateway_hosted_pictures 1\n"))
            #expect(metrics.contains("kling_gateway_hosted_picture_bytes 3000001\n"))
            #expect(!metrics.contains(letters))
            try await rig.stop()
            let log = rig.gateway.program.errorText
            #expect(log.contains("/pictures/…") && log.contains("hosted_picture"))
            #expect(!log.lowercased().contains(letters))
            try await rig.start()
        }
    }

    @Test func `an open task's picture is served across crashes until the task has ended`() async throws {
        let settings = "pictures: { linger: 2s }\nquery: { freshness: 50ms }"
        try await Rig.run(settings: settings, duration: 6_000...6_000) { rig in
            let id = try await rig.createdTask()
            try await rig.stop()
            let (open, unknown) = (
                try await host(rig, for: task(rig)), try await host(rig, for: .none)
            )
            try await rig.start()
            for _ in 0..<2 {
                #expect(try await get(rig, open.name).status == 200)
                #expect(try await get(rig, unknown.name).status == 404)
                try await rig.kill()
                try await rig.start()
            }
            try await eventually("it ends") { try await rig.status(id) == "succeed" }
            #expect(try await get(rig, open.name).status == 200, "it lingers")
            try await eventually("it is gone") { try await get(rig, open.name).status == 404 }
            try await eventually("its file is gone") { try files(rig).isEmpty }
        }
    }

    @Test func `the pictures folder of a running gateway cannot be opened again`() async throws {
        try await Rig.run { rig in
            let error = #expect(throws: SpoolError.self) {
                try HostedPictures(
                    rig.folder.path("pictures"), bounds: HostedPictureBounds(), clock: GuardedClock())
            }
            #expect(error?.code == .inUse)
        }
    }
}
