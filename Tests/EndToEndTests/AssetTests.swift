import Foundation
import KlingSimulator
import TestKit
import Testing

/// Links to uploaded pictures in creates, in every client shape.
@Suite(.aFewAtATime) struct AssetTests {
    private static let person = Data(SamplePictures.person).base64EncodedString()
    private static let garment = Data(SamplePictures.garment).base64EncodedString()

    /// A route, and a create of a person and a garment in its shape.
    struct Shape: Sendable, CustomTestStringConvertible {
        let path: String
        /// `$P` stands for the person, `$G` for the garment.
        let body: String
        /// The names that errors use for the two pictures.
        let fields: [String]

        var testDescription: String { path }

        func create(
            _ person: String, _ garment: String, key: String = GatewayProcess.key, at gateway: GatewayProcess
        ) async throws -> RawClient.Answer {
            let text = body.replacingOccurrences(of: "$P", with: person).replacingOccurrences(of: "$G", with: garment)
            return try await gateway.post(path, Array(text.utf8), key: key)
        }
    }

    private static let kling = #"{"human_image":"$P","cloth_image":"$G"}"#
    private static let shapes = [
        Shape(path: Fixture.path, body: kling, fields: ["human_image", "cloth_image"]),
        Shape(path: "/kling" + Fixture.path, body: kling, fields: ["human_image", "cloth_image"]),
        Shape(path: EditForm.path, body: #"{"image":["$P",{"image_url":"$G"}]}"#, fields: ["image[0]", "image[1]"]),
        Shape(
            path: Useapi.path, body: #"{"humanImage":"$P","dressInput":"$G"}"#, fields: ["humanImage", "dressInput"]),
    ]

    /// Runs `body` with a Kling that records what it is sent and ends every task at once.
    private func run(
        account: String = "lookup: yes", settings: String = "", _ body: (Rig, Recorder) async throws -> Void
    ) async throws {
        let task = #""task_id":"1","task_status":"failed","task_status_msg":"m","created_at":1,"updated_at":1"#
        let answer: @Sendable (Recorder.Received) -> String = { received in
            let isList = received.method == "GET" && received.path.hasSuffix("try-on")
            return #"{"code":0,"message":"SUCCEED","request_id":"r","data":\#(isList ? "[{\(task)}]" : "{\(task)}")}"#
        }
        try await Recorder.run(answering: answer) { kling, url in
            let account = Rig.Account(name: "kling", settings: account, url: url)
            try await Rig.run([account], settings: settings) { rig in try await body(rig, kling) }
        }
    }

    @Test(arguments: shapes)
    func `uploaded pictures are sent in place of their links`(shape: Shape) async throws {
        try await run { rig, kling in
            let person = try await rig.gateway.uploaded(SamplePictures.person)
            let garment = try await rig.gateway.uploaded(SamplePictures.garment)
            _ = try await shape.create(person, garment, at: rig.gateway)
            _ = try await shape.create(Useapi.person, garment, at: rig.gateway)
            _ = try await shape.create(person, Useapi.dress, at: rig.gateway)
            let sent = kling.posts.map { [$0.json["human_image"] as? String, $0.json["cloth_image"] as? String] }
            #expect(
                sent == [[Self.person, Self.garment], [Useapi.person, Self.garment], [Self.person, Useapi.dress]])
        }
    }

    @Test(arguments: shapes)
    func `a link to another tenant's upload or to no upload is refused, naming the field`(
        shape: Shape
    ) async throws {
        try await run { rig, kling in
            let own = try await rig.gateway.uploaded(SamplePictures.garment)
            let foreign = try await rig.gateway.uploaded(SamplePictures.person, key: GatewayProcess.otherKey)
            let name = String(repeating: "a", count: 32) + ".png"
            let lost = "http://127.0.0.1:\(rig.gateway.port)/v1/kling/assets/\(name)"
            for link in [foreign, lost] {
                for (field, pictures) in zip(shape.fields, [(link, own), (own, link)]) {
                    let answer = try await shape.create(pictures.0, pictures.1, at: rig.gateway)
                    #expect(
                        answer.status == 400 && answer.text.contains("\(field) links to a picture"), "\(answer.text)")
                }
            }
            #expect(kling.posts.isEmpty)
            let elsewhere = "https://other.example/v1/kling/assets/\(name)"
            _ = try await shape.create(elsewhere, own, at: rig.gateway)
            #expect(kling.posts.map { $0.json["human_image"] as? String } == [elsewhere])
        }
    }

    @Test(arguments: [
        ("trusted_proxies: [127.0.0.1]", ["X-Forwarded-Proto: https"], "https"),
        ("trusted_proxies: [127.0.0.1]", ["X-Forwarded-Proto: HTTPS, http"], "https"),
        ("trusted_proxies: [127.0.0.1]", ["X-Forwarded-Proto: gopher"], "http"),
        ("trusted_proxies: [127.0.0.1]", [], "http"), ("", ["X-Forwarded-Proto: https"], "http"),
        ("trusted_proxies: [10.0.0.0/8]", ["X-Forwarded-Proto: https"], "http"),
    ])
    func `a link's scheme is what a trusted proxy says`(
        settings: String, headers: [String], scheme: String
    ) async throws {
        try await run(settings: settings) { rig, _ in
            for _ in 0..<2 {
                let answer = try await rig.gateway.post(
                    "/v1/kling/assets", SamplePictures.person, type: "image/png", headers: headers)
                let url = answer.json["url"] as? String ?? ""
                #expect(url.hasPrefix("\(scheme)://127.0.0.1:\(rig.gateway.port)/v1/kling/assets/"), "\(answer.text)")
            }
            try await rig.stop()
            let warnings = rig.gateway.program.errorText.split(separator: "\n").filter { $0.contains("set public_url") }
            #expect(warnings.count == (settings.contains("127") ? 1 : 0), "\(warnings)")
            try await rig.start()
        }
    }

    // MARK: On Kling's paths

    @Test func `other members pass through, and the Idempotency-Key covers what the client sent`() async throws {
        try await run { rig, kling in
            let link = try await rig.gateway.uploaded(SamplePictures.person)
            // The link has escaped slashes, as PHP's clients write them. The base64 beside it is repaired in place.
            let broken = "data:image/png;base64,\(Self.garment.prefix(40))\\n\(Self.garment.dropFirst(40))"
            let body = #"""
                {"x": [1, {"y": null}], "human_image": "\#(link.replacingOccurrences(of: "/", with: #"\/"#))",
                "external_task_id": "order-1", "cloth_image":"\#(broken)","z":1.50}
                """#
            let answers = [
                try await rig.gateway.post(Fixture.path, Array(body.utf8), headers: ["Idempotency-Key: k"]),
                try await rig.gateway.post(Fixture.path, Array(body.utf8), headers: ["Idempotency-Key: k"]),
            ]
            #expect(answers.map(\.status) == [200, 200], "\(answers[0].text)")
            #expect(answers[1]["Idempotent-Replayed"] == "true")
            let other = body.replacingOccurrences(of: #"\/"#, with: "/")
            let mismatch = try await rig.gateway.post(
                Fixture.path, Array(other.utf8), headers: ["Idempotency-Key: k"])
            #expect(mismatch.status == 422)
            #expect(try await rig.gateway.ask("GET", Fixture.path + "/order-1").status == 200)
            #expect(kling.posts.count == 1)
            let sent = try #require(kling.posts.first)
            #expect(Set(sent.json.keys) == ["x", "z", "model_name", "external_task_id", "human_image", "cloth_image"])
            #expect(sent.json["human_image"] as? String == Self.person)
            #expect(sent.json["cloth_image"] as? String == Self.garment)
            let text = String(decoding: sent.body, as: UTF8.self)
            #expect(text.contains(#""x": [1, {"y": null}]"#) && text.contains(#""z":1.50"#))
        }
    }

    @Test(arguments: ["", "limits: { body: 4MiB, buffered_bytes: 8MiB }"])
    func `large pictures are sent whole even with little memory`(settings: String) async throws {
        try await run(settings: settings) { rig, kling in
            let picture = SamplePictures.person + [UInt8](repeating: 7, count: 2_000_001)
            let link = try await rig.gateway.uploaded(picture)
            _ = try await Self.shapes[0].create(link, link, at: rig.gateway)
            let sent = try #require(kling.posts.first).json
            #expect(sent["human_image"] as? String == Data(picture).base64EncodedString())
            #expect(sent["cloth_image"] as? String == sent["human_image"] as? String)
        }
    }

    @Test(.needsSQLite("uploads are in PostgreSQL, not in files"))
    func `a queued create is sent with its picture even if the upload is gone by then`() async throws {
        try await Rig.run(settings: "dispatch: { wait: 0s }") { rig in
            let link = try await rig.gateway.uploaded(SamplePictures.person)
            try rig.fail("create:1303:1:1")
            let id = try await Self.shapes[0].create(link, Useapi.dress, at: rig.gateway).createdTask()
            let folder = rig.folder.path("assets")
            for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
                try FileManager.default.removeItem(atPath: folder + "/" + name)
            }
            try await eventually("it is made") { try await rig.status(id) == "succeed" }
            #expect(rig.kling.tasks.count == 1 && rig.kling.tasks.last?.personURL == nil)
        }
    }

    @Test func `normalizing uses uploaded pictures without fetching them`() async throws {
        try await run(account: "lookup: yes, pictures: normalize", settings: "fetch: { allow: [127.0.0.0/8] }") {
            rig, kling in
            let person = try await rig.gateway.uploaded(SamplePictures.person)
            let garment = try await rig.gateway.uploaded(SamplePictures.garment)
            let answer = try await Self.shapes[0].create(person, garment, at: rig.gateway)
            #expect(answer.status == 200, "\(answer.text)")
            let sent = try #require(kling.posts.first).json
            #expect(sent["human_image"] as? String == Self.person)
            #expect(sent["cloth_image"] as? String == Self.garment)
        }
    }

    // MARK: On OpenAI's path

    @Test func `an edit's two garments are taken from their links`() async throws {
        try await run { rig, kling in
            let person = try await rig.gateway.uploaded(SamplePictures.person)
            let garment = try await rig.gateway.uploaded(SamplePictures.garment)
            let body = #"{"image":["\#(person)","\#(garment)","\#(garment)"]}"#
            _ = try await rig.gateway.post(EditForm.path, Array(body.utf8))
            let sent = try #require(kling.posts.first).json
            #expect(sent["human_image"] as? String == Self.person)
            let cloth = (sent["cloth_image"] as? String).flatMap { Data(base64Encoded: $0) }
            #expect(cloth?.starts(with: [0xFF, 0xD8]) == true, "one picture was made of both")
        }
    }
}
