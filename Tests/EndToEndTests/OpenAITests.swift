import Foundation
import KlingSimulator
import TestKit
import Testing

/// The requests of OpenAI's SDKs, through the built binary.
@Suite(.aFewAtATime) struct OpenAITests {
    @Test(arguments: ["/v1", "/kling/v1"])
    func `models are listed and found by id`(base: String) async throws {
        try await Fixture.run { fixture in
            let list = try await fixture.gateway.ask("GET", base + "/models")
            #expect(list.status == 200 && list.json["object"] as? String == "list")
            let models = try #require(list.json["data"] as? [[String: Any]])
            #expect(
                models.map { $0["id"] as? String } == [
                    "kolors-virtual-try-on-v1", "kolors-virtual-try-on-v1-5", "virtual_try_on",
                ])
            for model in models {
                #expect(model["object"] as? String == "model" && model["created"] is Int && model["owned_by"] is String)
            }
            let one = try await fixture.gateway.ask("GET", base + "/models/kolors-virtual-try-on-v1-5")
            #expect(one.json["id"] as? String == "kolors-virtual-try-on-v1-5")
            let none = try await fixture.gateway.ask("GET", base + "/models/gpt-image-1")
            #expect(none.status == 404 && Set(none.json.keys) == ["error"])
            #expect(none.error["param"] as? String == "model" && none.error["code"] as? String == "model_not_found")
        }
    }

    @Test func `every refusal has only the error object`() async throws {
        try await Fixture.run { fixture in
            let gateway = fixture.gateway
            let answers = [
                (try await gateway.ask("GET", "/v1/models", key: nil), 401),
                (try await gateway.ask("GET", "/v1/models", key: "sk-wrong"), 401),
                (try await gateway.ask("GET", EditForm.path), 405),
                (
                    try await gateway.ask("POST", EditForm.path, headers: ["Content-Type: multipart/mixed"], body: "x"),
                    415
                ),
                (try await gateway.ask("GET", "/v1/models", headers: ["Expect: wonders"], body: "x"), 417),
            ]
            for (answer, status) in answers {
                #expect(answer.status == status && Set(answer.json.keys) == ["error"], "\(answer.text)")
                #expect(answer["X-Request-Id"] != nil)
                #expect(Set(answer.error.keys).isSuperset(of: ["message", "type", "param", "code"]))
            }
            let unknown = try await gateway.ask("GET", "/v1/chat/completions")
            #expect(unknown.status == 404 && unknown.code == 1203, "an unknown path is answered as Kling would")
        }
    }

    @Test func `a chunked body fits into the smallest memory budget`() async throws {
        try await Rig.run(settings: "limits: { body: 4MiB, buffered_bytes: 8MiB }") { rig in
            let body = EditJSON.body(#""background":"\#(String(repeating: "u", count: 100_000))""#)
            let answer = try await blocking { [port = rig.gateway.port] in
                let client = try RawClient(port: port)
                try client.send(
                    "POST \(EditForm.path) HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer \(GatewayProcess.key)\r\n"
                        + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                        + "\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n0\r\n\r\n")
                return try client.readAnswer()
            }
            #expect(answer?.status == 200, "\(answer?.text ?? "")")
        }
    }

    @Test(arguments: ["image[]", "image", "image[0]"])
    func `a form with a person and a garment is answered once the picture is ready`(name: String) async throws {
        try await Fixture.run { fixture in
            var form = EditForm([SamplePictures.person, SamplePictures.garment], name: name)
            for (field, text) in [
                ("size", "1024x1024"), ("quality", "high"), ("background", "opaque"), ("extra[a][b]", "c"),
                ("response_format", "url"), ("user", "u1"), ("external_task_id", "order-1"), ("n", "1"), ("model", ""),
            ] { form.add(field, text) }
            form.add("mask", file: [1, 2, 3])
            let answer = try await form.sent(to: fixture.gateway)
            #expect(answer.status == 200, "\(answer.text)")
            let id = try #require(answer.json["task_id"] as? String)
            #expect(fixture.kling.tasks.map(\.id) == [id])
            #expect(answer.json["created"] is Int && answer.json["job_id"] is Int)
            #expect(answer.pictures.count == 1 && Set(answer.pictures[0].keys) == ["url"])
            #expect((answer.pictures[0]["url"] as? String)?.hasSuffix("/results/\(id)/0.png") == true)
            for path in [id, "order-1"] {
                let found = try await fixture.gateway.ask("GET", Fixture.path + "/" + path)
                #expect(found.data["task_id"] as? String == id)
            }
        }
    }

    @Test(arguments: [
        #""image":["$P","$G"]"#, #""images":["$P","$G"]"#, #""image":[{"image_url":"$P"},{"image_url":{"url":"$G"}}]"#,
        #""images":[{"type":"input_image","image_url":"$P"},"$G"],"n":null,"user":"","model":null"#,
        #""image":["$D","$G"]"#, #""image":[{"image_url":"$D"},"$G"],"stream":false,"n":1"#,
    ])
    func `JSON accepts pictures as URLs, data URLs or objects`(members: String) async throws {
        try await Fixture.run { fixture in
            let data = "data:image/png;base64," + Data(SamplePictures.person).base64EncodedString()
            let body = members.replacingOccurrences(of: "$P", with: EditJSON.person())
                .replacingOccurrences(of: "$G", with: EditJSON.garment).replacingOccurrences(of: "$D", with: data)
            let answer = try await fixture.gateway.ask(
                "POST", "/kling" + EditForm.path, body: "{\(body),\"response_format\":\"url\"}")
            #expect(answer.status == 200 && answer.pictures.count == 1, "\(answer.text)")
        }
    }

    @Test(arguments: ["b64_json", ""])
    func `pictures are returned as base64, with their URLs unless only base64 was requested`(
        format: String
    ) async throws {
        try await Fixture.run { fixture in
            var form = EditForm([SamplePictures.person, SamplePictures.garment])
            for (name, text) in [("response_format", format), ("n", "2")] { form.add(name, text) }
            let answer = try await form.sent(to: fixture.gateway)
            #expect(answer.status == 200 && answer.pictures.count == 2, "\(answer.text.prefix(500))")
            #expect(answer.json["task_id"] is String && answer.json["created"] is Int)
            for picture in answer.pictures {
                #expect(Set(picture.keys) == (format.isEmpty ? ["url", "b64_json"] : ["b64_json"]))
                let file = (picture["b64_json"] as? String).flatMap { Data(base64Encoded: $0) } ?? Data()
                #expect(file.starts(with: [0x89, 0x50, 0x4E, 0x47]) && file.count > 1000)
            }
        }
    }

    @Test func `two garments go to Kling as one picture, from forms and from JSON`() async throws {
        let files = [SamplePictures.person, SamplePictures.garment, SamplePictures.garment]
        try await Fixture.run(environment: ["KLING_GATEWAY_FETCH_ALLOW": "127.0.0.0/8"]) { fixture in
            let form = try await EditForm(files).sent(to: fixture.gateway)
            #expect(form.status == 200 && form.pictures.count == 1, "\(form.text.prefix(500))")
            let text = Data(SamplePictures.garment).base64EncodedString()
            let json = try await fixture.gateway.ask(
                "POST", EditForm.path,
                body: #"{"image":["\#(EditJSON.person())","data:image/png;base64,\#(text)","\#(text)"]}"#)
            #expect(json.status == 200, "\(json.text.prefix(500))")
            #expect(fixture.kling.tasks.count == 2)
            let broken = try await EditForm(files.dropLast() + [[1, 2, 3]]).sent(to: fixture.gateway)
            #expect(broken.status == 400 && broken.error["param"] as? String == "image", "\(broken.text)")
            #expect((broken.error["message"] as? String)?.hasPrefix("image[2] ") == true, "\(broken.text)")
        }
    }

    @Test(arguments: [
        ("name=\"image\"; name=\"a\"", "Part 1"), ("name=\"image\"\r\nContent-Transfer-Encoding: base64", "image"),
    ])
    func `an ambiguous form is refused`(head: String, start: String) async throws {
        try await Fixture.run { fixture in
            let answer = try await fixture.gateway.ask(
                "POST", EditForm.path, headers: ["Content-Type: multipart/form-data; boundary=B"],
                body: "--B\r\nContent-Disposition: form-data; \(head)\r\n\r\nx\r\n--B--")
            #expect(answer.status == 400 && answer.error["code"] as? String == "invalid_body", "\(answer.text)")
            #expect((answer.error["message"] as? String)?.hasPrefix(start) == true)
        }
    }

    @Test func `a file input without a chosen file is ignored`() async throws {
        try await Fixture.run { fixture in
            var form = EditForm([SamplePictures.person, SamplePictures.garment])
            form.addUnchosenFile("image[]")
            form.add("image[]", "")
            let answer = try await form.sent(to: fixture.gateway)
            #expect(answer.status == 200, "\(answer.text)")
        }
    }

    @Test func `several pictures become as many tasks`() async throws {
        try await Fixture.run { fixture in
            let answer = try await fixture.gateway.edit(#""n":3,"response_format":"url""#)
            #expect(answer.status == 200 && answer.pictures.count == 3, "\(answer.text)")
            let ids = try #require(answer.json["task_ids"] as? [String])
            #expect(Set(ids) == Set(fixture.kling.tasks.map(\.id)) && ids.count == 3)
            #expect(answer.json["task_id"] as? String == ids[0])
        }
    }

    @Test(arguments: [
        (#"{"prompt":"p"}"#, "image"), (#"{"image":"https://a.example/a"}"#, "image"),
        (#"{"image":["https://a","https://b","https://c","https://d"]}"#, "image"),
        (#"{"images":["https://a","ftp://b"]}"#, "images"), (#"{"image":[1,2]}"#, "image"), (#"{"image":{}}"#, "image"),
        (#"{"image":["https://a"],"images":["https://b"]}"#, "images"),
        (#"{"image":["https://a","R0lGODlh"]}"#, "image"),
        (#"{"image":["https://a","https://b"],"n":5}"#, "n"), (#"{"image":["https://a","https://b"],"n":"two"}"#, "n"),
        (#"{"image":["https://a","https://b"],"n":1.5}"#, "n"), (#"{"image":["https://a","https://b"],"n":true}"#, "n"),
        (#"{"image":["https://a","https://b"],"response_format":"png"}"#, "response_format"),
        (#"{"image":["https://a","https://b"],"model":"gpt-image-1"}"#, "model"),
        (#"{"image":["https://a","https://b"],"callback_url":"ftp://a"}"#, "callback_url"),
        (#"{"image":["https://a","https://b"],"external_task_id":{}}"#, "external_task_id"),
        (#"{"image":["https://a","https://b"],"stream":"yes"}"#, "stream"),
        (#"{"image":["https://a","https://b","https://c"],"model":"kolors-virtual-try-on-v1"}"#, "model"),
    ])
    func `an error names the parameter as the client did`(body: String, parameter: String) async throws {
        try await Fixture.run { fixture in
            let answer = try await fixture.gateway.ask("POST", EditForm.path, body: body)
            #expect(answer.status == 400 && answer.error["param"] as? String == parameter, "\(answer.text)")
            #expect(answer.error["type"] as? String == "invalid_request_error")
            #expect(fixture.kling.tasks.isEmpty)
        }
    }
}
