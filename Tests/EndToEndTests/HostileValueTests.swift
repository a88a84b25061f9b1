import Foundation
import KlingSimulator
import TestKit
import Testing

/// Malicious values in header fields, paths and bodies: they are refused, or passed through as plain values.
@Suite(.aFewAtATime) struct HostileValueTests {
    // MARK: Header fields

    @Test func `a line break in a value never becomes a header field`() async throws {
        try await Fixture.run { fixture in
            let wrong = [
                (#""external_task_id":"a\r\nX-Evil: 1""#, "external_task_id"),
                (#""external_task_id":"a\u0085X-Evil: 1""#, "external_task_id"),
                (#""model_name":"kling\r\nX-Evil: 1""#, "model_name"),
                (#""callback_url":"https://a.example/\r\nX-Evil: 1""#, "callback_url"),
            ]
            for (member, name) in wrong {
                let answer = try await fixture.create(member)
                #expect(answer.status == 400, "\(member)")
                #expect(answer.code == 1201, "\(member)")
                #expect(answer.error["param"] as? String == name)
                #expect(answer["X-Evil"] == nil)
            }
            #expect(fixture.creates == 0)
        }
    }

    @Test func `an external_task_id with quotes, signs and escapes is plain text`() async throws {
        try await Fixture.run { fixture in
            let id = "\"quoted\"\\back%0d%0aslash/../?a=b#c&<script>'\u{2028}é🧥"
            let member = try JSONSerialization.data(withJSONObject: ["external_task_id": id], options: [])
            let text = String(decoding: member, as: UTF8.self).dropFirst().dropLast()
            let made = try await fixture.create(String(text))
            #expect(made.status == 200, "\(made.text)")
            #expect((made.data["task_info"] as? [String: Any])?["external_task_id"] as? String == id)
            let escaped = try #require(id.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
            let found = try await fixture.gateway.ask("GET", Fixture.path + "/" + escaped)
            #expect(found.status == 200, "\(found.text)")
            #expect((found.data["task_info"] as? [String: Any])?["external_task_id"] as? String == id)
            let listed = try await fixture.gateway.ask("GET", Fixture.path)
            #expect((listed.tasks.first?["task_info"] as? [String: Any])?["external_task_id"] as? String == id)
        }
    }

    @Test func `a request id is kept if it is a plain word and replaced otherwise`() async throws {
        try await Fixture.run { fixture in
            let plain = [#"quo"te\back<script>"#, String(repeating: "a", count: 128)]
            for id in plain {
                let answer = try await fixture.gateway.ask("GET", Fixture.path, headers: ["X-Request-Id: \(id)"])
                #expect(answer["X-Request-Id"] == id)
                #expect(answer.json["request_id"] as? String == id)
            }
            let odd = [
                ["X-Request-Id: a b"], ["X-Request-Id: é"], ["X-Request-Id:"], ["X-Request-Id: a\tb"],
                ["X-Request-Id: " + String(repeating: "a", count: 129)], ["X-Request-Id: a", "X-Request-Id: b"],
            ]
            for fields in odd {
                let answer = try await fixture.gateway.ask("GET", Fixture.path, headers: fields)
                #expect(answer["X-Request-Id"]?.wholeMatch(of: /[0-9a-f]{15}/) != nil, "\(fields)")
                #expect(answer.json["request_id"] as? String == answer["X-Request-Id"])
            }
        }
    }

    @Test func `no client header field reaches Kling, and none of Kling's reaches the client`() async throws {
        try await Fixture.run { fixture in
            let fields = [
                "Connection: authorization, x-foo, keep-alive, te", "Keep-Alive: timeout=5", "TE: trailers",
                "Upgrade: h2c", "HTTP2-Settings: AAMAAABk", "Proxy-Authorization: Basic YTpi",
                "Proxy-Connection: keep-alive", "Cookie: session=1", "X-Foo: 1", "X-Forwarded-For: 1.2.3.4",
                "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: https", "Forwarded: for=1.2.3.4",
                "X-Real-IP: 1.2.3.4", "Via: 1.1 evil", "Origin: https://evil.example", "Referer: https://evil.example",
                "X-HTTP-Method-Override: DELETE", "X-Original-URL: /admin", "X-Request-Id: mine", "Range: bytes=0-1",
                "If-None-Match: *", "Trailer: X-Foo", "Accept-Encoding: gzip", "Accept-Language: de", "Via: 1.0 a",
                "User-Agent: curl/1.0", "Transfer_Encoding: chunked", "Content_Length: 3",
            ]
            let made = try await fixture.gateway.ask("POST", Fixture.path, headers: fields, body: Fixture.body())
            #expect(made.status == 200, "\(made.text)")
            let id = try #require(made.data["task_id"] as? String)
            let answers = [
                made, try await fixture.gateway.ask("GET", Fixture.path, headers: fields),
                try await fixture.gateway.ask("GET", Fixture.path + "/" + id, headers: fields),
            ]
            let sent: Set = ["host", "accept", "authorization", "content-type", "content-length", "user-agent"]
            let seen = try await fixture.headerNamesSeenByKling()
            #expect(seen.isSuperset(of: ["authorization", "user-agent"]))
            #expect(seen.isSubset(of: sent), "\(seen.subtracting(sent))")
            let values = try await fixture.seenByKling().map(\.value).joined(separator: "\n")
            for part in [GatewayProcess.key, "curl/1.0", "evil", "1.2.3.4"] { #expect(!values.contains(part)) }
            for answer in answers {
                let names = Set(answer.headers.map { $0.name.lowercased() })
                #expect(
                    names.isSubset(of: [
                        "date", "content-length", "content-type", "x-request-id", "connection", "cache-control",
                    ]))
            }
        }
    }

    // MARK: Paths

    @Test func `no path trick finds a task or reaches Kling`() async throws {
        try await Fixture.run(file: Fixture.knownAccount, environment: Fixture.noAccount, duration: 1...1) { fixture in
            let id = try await fixture.createdTask(#""external_task_id":"order""#)
            let base = Fixture.path
            // A finished task is not watched, so Kling is not asked about it again.
            let found = try await fixture.gateway.ask("GET", base + "/" + id)
            #expect(found.data["task_status"] as? String == "succeed")
            let calls = fixture.callsToKling
            let tricks = [
                "\(base)/..", "\(base)/.", "\(base)/%2e%2e", "\(base)/../\(id)", "\(base)/./\(id)", "\(base)/%2e/\(id)",
                "\(base)/\(id)/..", "\(base)/\(id)/%2e%2e/\(id)", "\(base)/\(id)%2f", "\(base)/%2f\(id)",
                "\(base)/..%2f\(id)", "\(base)/\(id);x=y", "\(base);x/\(id)", "\(base)/\(id)%3fa=b", "\(base)/\(id)%23",
                "\(base)/\(id)%00", "\(base)/\(id)%0d%0aX-Evil:%201", "\(base)/\(id)%20", "\(base)/%20\(id)",
                "\(base)/\(id)+", "\(base)/\(id)\\", "\(base)/%252e%252e", "\(base)/%c0%ae%c0%ae",
                "\(base)/\(id)%c0%80",
                "\(base)/\(id),order", "\(base)/*", "\(base)/%", "\(base)/\(id)#", "\(base)/\(id)/\(id)",
                "\(base)%2f\(id)", "/v1/videos/../images/kolors-virtual-try-on/\(id)",
                "/V1/images/kolors-virtual-try-on",
                "/kling/kling\(base)/\(id)", "/v1/images/kolors-virtual-try-on\u{7f}/\(id)", "/healthz", "/metrics",
                "\(base)/" + String(repeating: "a", count: 8000), "\(base)/" + String(repeating: "%41", count: 2000),
            ]
            for path in tricks {
                let answer = try await fixture.gateway.ask("GET", path)
                let isRefused =
                    (answer.status, answer.code) == (404, 1203) || (answer.status, answer.code) == (400, 1200)
                #expect(isRefused, "\(path.prefix(100)): \(answer.status) \(answer.text)")
                #expect(answer["X-Evil"] == nil)
            }
            #expect(fixture.callsToKling == calls)
            for path in ["/\(base)//\(id)//", "\(base)/\(id)?x=..%2f", "\(base)/%6frder"] {
                #expect(try await fixture.gateway.ask("GET", path).status == 200, "\(path)")
            }
        }
    }

    @Test func `another tenant's task is answered like an unknown one under each of its ids`() async throws {
        try await Fixture.run { fixture in
            let id = try await fixture.createdTask(#""external_task_id":"mine""#)
            let own = try #require(fixture.kling.tasks.first?.externalTaskID)
            let key = GatewayProcess.otherKey
            for method in ["GET", "HEAD"] {
                let never = try await fixture.gateway.ask(method, Fixture.path + "/815", key: key)
                #expect(never.status == 404)
                for name in [id, "mine", own] {
                    let answer = try await fixture.gateway.ask(method, Fixture.path + "/" + name, key: key)
                    #expect(answer.likeness == never.likeness)
                }
            }
            // Its owner may have been told the gateway's own id while the store could not be written to.
            #expect(try await fixture.gateway.ask("GET", Fixture.path + "/" + own).status == 200)
            let theirs = try await fixture.create(#""external_task_id":"mine""#, key: key)
            #expect(theirs.status == 200)
            #expect(theirs.data["task_id"] as? String != id)
        }
    }

    // MARK: Bodies

    @Test func `a body that is not one valid JSON object is answered 400 and never reaches Kling`() async throws {
        let start = #"{"human_image":"https://a.example/a","cloth_image":"https://a.example/b","#
        func text(_ rest: String) -> [UInt8] { Array((start + rest).utf8) }
        func bytes(_ rest: [UInt8]) -> [UInt8] { Array((start + #""note":""#).utf8) + rest + Array("\"}".utf8) }
        let bodies: [(String, [UInt8])] = [
            ("callback twice", text(#""callback_url":"https://a.example/","callback_url":"https://b.example/"}"#)),
            ("callback twice, once escaped", text(#""callback_url":"","callback_ur\u006c":"https://b.example/"}"#)),
            ("picture twice, once escaped", text(#""\u0068uman_image":"https://b.example/"}"#)),
            ("unknown member twice", text(#""x":1,"x":2}"#)),
            ("arrays in arrays", text(#""x":"# + String(repeating: "[", count: 100_000))),
            ("closed arrays in arrays", text(#""x":"# + nested("[", "]", 65) + "}")),
            ("objects in objects", text(#""x":"# + nested(#"{"a":"#, "}", 65, around: "1") + "}")),
            ("number beyond a double", text(#""x":1e400}"#)), ("negative beyond a double", text(#""x":-1e999}"#)),
            ("NaN", text(#""x":NaN}"#)), ("Infinity", text(#""x":-Infinity}"#)), ("leading zero", text(#""x":01}"#)),
            ("hex", text(#""x":0x1}"#)), ("plus", text(#""x":+1}"#)), ("lonely point", text(#""x":1.}"#)),
            ("comment", text(#""x":1/**/}"#)), ("comma at the end", text(#""x":1,}"#)),
            ("single quotes", text("'x':1}")),
            ("lone surrogate in a name", text(#""\ud800":1}"#)), ("bad escape", text(#""x":"\x41"}"#)),
            ("cut escape", text(#""x":"\u12"}"#)), ("control character", text("\"x\":\"\u{1}\"}")),
            ("line break in a string", text("\"x\":\"\n\"}")), ("NUL behind", text("\"x\":1}\u{0}")),
            ("something behind", text(#""x":1}{}"#)), ("cut", text(#""x":1"#)),
            ("stray byte", bytes([0xFF])), ("overlong slash", bytes([0xC0, 0xAF])),
            ("cut sequence", bytes([0xE2, 0x82])),
            ("surrogate in UTF-8", bytes([0xED, 0xA0, 0x80])), ("beyond Unicode", bytes([0xF4, 0x90, 0x80, 0x80])),
            ("two byte order marks", [0xEF, 0xBB, 0xBF, 0xEF, 0xBB, 0xBF] + text(#""x":1}"#)),
            ("UTF-16", Array(Fixture.body().utf16).flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }),
            ("too many members", text((0..<300).map { "\"m\($0)\":1" }.joined(separator: ",") + "}")),
            ("null", Array("null".utf8)), ("a string", Array("\"{}\"".utf8)), ("spaces", Array(" \r\n\t ".utf8)),
        ]
        try await Fixture.run { fixture in
            for (name, body) in bodies {
                let answer = try await fixture.exchange(Fixture.create(body))
                #expect(answer.status == 400, "\(name): \(answer.text)")
                #expect(answer.code == 1200, "\(name): \(answer.text)")
            }
            #expect(fixture.creates == 0)
            let deep = #""x":"# + nested("[", "]", 63)
            #expect(try await fixture.create(deep).status == 200)
        }
    }

    @Test func `an unsupported content coding or type is answered 415`() async throws {
        try await Fixture.run { fixture in
            for fields in [
                ["Content-Encoding: gzip"], ["Content-Encoding: GZIP"], ["Content-Encoding: identity, br"],
                ["Content-Encoding: identity", "Content-Encoding: gzip"], ["Content-Encoding: nonsense"],
                ["Content-Type: multipart/form-data; boundary=x"], ["Content-Type: Multipart/Mixed"],
            ] {
                let answer = try await fixture.exchange(Fixture.create(Array(Fixture.body().utf8), fields))
                #expect(answer.status == 415, "\(fields): \(answer.text)")
                #expect(answer.code == 1200, "\(fields)")
                let isCoded = fields[0].hasPrefix("Content-Encoding")
                #expect(answer["Accept-Encoding"] == (isCoded ? "identity" : nil), "\(fields)")
                let message = answer.error["message"] as? String ?? ""
                #expect(!isCoded || message.contains("Send it uncompressed"), "\(message)")
            }
            #expect(fixture.creates == 0)
            let identity = Fixture.create(Array(Fixture.body().utf8), ["Content-Encoding: Identity"])
            #expect(try await fixture.exchange(identity).status == 200)
        }
    }

    private func nested(_ open: String, _ close: String, _ count: Int, around middle: String = "") -> String {
        String(repeating: open, count: count) + middle + String(repeating: close, count: count)
    }
}
