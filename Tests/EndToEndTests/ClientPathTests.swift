import TestKit
import Testing

/// The paths and header fields of clients that are not quite those of an API's documentation.
@Suite(.aFewAtATime) struct ClientPathTests {
    @Test(arguments: ["/account/costs", "/kling/account/costs"])
    func `Kling's list of resource packs checks a key`(path: String) async throws {
        try await Fixture.run { fixture in
            let good = try await fixture.gateway.ask("GET", path)
            #expect(
                good.status == 200 && good.code == 0 && good.json["message"] as? String == "SUCCEED", "\(good.text)")
            #expect(good.data["code"] as? Int == 0 && good.data["msg"] as? String == "success")
            #expect((good.data["resource_pack_subscribe_infos"] as? [Any])?.isEmpty == true)
            let wrong = try await fixture.gateway.ask("GET", path, key: "sk-wrong")
            #expect(wrong.status == 401 && wrong.code == 1002)
        }
    }

    @Test func `an unknown path of an API says first that a key is wrong or missing`() async throws {
        try await Fixture.run { fixture in
            let gateway = fixture.gateway
            for path in ["/v1/nothing", "/kling/nothing", "/images/nothing", "/solutions/nothing/else"] {
                let wrong = try await gateway.ask("GET", path, key: "sk-wrong")
                let missing = try await gateway.ask("GET", path, key: nil)
                let good = try await gateway.ask("GET", path)
                #expect(wrong.code == 1002 && missing.code == 1001 && good.code == 1203, "\(path)")
            }
            let elsewhere = try await gateway.ask("GET", "/nothing", key: "sk-wrong")
            #expect(elsewhere.status == 404)
        }
    }

    @Test func `no cache between client and gateway may keep an answer`() async throws {
        try await Fixture.run { fixture in
            let paths = [
                Fixture.path, Fixture.path + "/unknown", "/v1/models", "/v1/kling/tasks", "/account/costs",
                "/solutions",
                "/nothing", "/v1/kling/assets/unknown", "/" + String(repeating: "a", count: 9000),
            ]
            for path in paths {
                for key in [GatewayProcess.key, "sk-wrong", nil] {
                    let answer = try await fixture.gateway.ask("GET", path, key: key)
                    #expect(answer["Cache-Control"] == "no-store", "\(path.prefix(40)): \(answer.text)")
                }
            }
            let created = try await fixture.gateway.ask("POST", Fixture.path, body: Fixture.body())
            #expect(created["Cache-Control"] == "no-store")
        }
    }

    @Test func `ComfyUI's paths and its X-API-KEY work`() async throws {
        try await Fixture.run { fixture in
            let (path, own) = ("/proxy/kling" + Fixture.path, "X-API-KEY: " + GatewayProcess.key)
            let created = try await fixture.gateway.ask(
                "POST", path, key: nil, headers: [own], body: Fixture.body())
            #expect(created.status == 200, "\(created.text)")
            let cases: [(headers: [String], code: Int)] = [
                ([own], 0), (["X-API-KEY: sk-wrong"], 1002), (["X-API-KEY: "], 1001), ([own, own], 1002),
                ([own, "Authorization: Bearer sk-wrong"], 1002),
            ]
            for (headers, code) in cases {
                let answer = try await fixture.gateway.ask("GET", path, key: nil, headers: headers)
                #expect(answer.code == code, "\(headers)")
            }
        }
    }

    @Test func `OpenAI's paths work without v1`() async throws {
        try await Fixture.run { fixture in
            let models = try await fixture.gateway.ask("GET", "/models")
            #expect(models.status == 200 && models.json["object"] as? String == "list")
            let edit = try await fixture.gateway.ask("POST", "/images/edits", body: "{}")
            #expect(edit.status == 400 && Set(edit.json.keys) == ["error"], "\(edit.text)")
        }
    }
}
