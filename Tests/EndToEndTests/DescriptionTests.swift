import Foundation
import TestKit
import Testing

/// The gateway's description of itself: the OpenAPI document and the page.
@Suite(.aFewAtATime) struct DescriptionTests {
    @Test func `the document needs no key and equals what the command prints`() async throws {
        try await Rig.run { rig in
            let served = try await rig.gateway.ask("GET", "/openapi.json", key: nil)
            #expect(served.status == 200 && served["Content-Type"]?.hasPrefix("application/json") == true)
            #expect(served.json["openapi"] as? String == "3.1.0")
            let printed = try await rig.command("openapi")
            #expect(printed.trimmingCharacters(in: .newlines) == served.text)
            let head = try await rig.gateway.ask("HEAD", "/openapi.json", key: nil)
            #expect(head.status == 200 && head["Content-Length"] == served["Content-Length"])
            #expect(try await rig.gateway.ask("POST", "/openapi.json", body: "{}").status == 405)
        }
    }

    @Test func `the page loads nothing external and shows the address it was requested at`() async throws {
        try await Rig.run { rig in
            let page = try await rig.gateway.ask("GET", "/docs", key: nil)
            #expect(page.status == 200 && page["Content-Type"] == "text/html; charset=utf-8")
            #expect(page.text.hasPrefix("<!DOCTYPE html>") && page.text.hasSuffix("</html>\n"))
            for element in ["<script", "<link", "<img", "<iframe", "@import", "url("] {
                #expect(!page.text.contains(element))
            }
            #expect(page.text.contains("curl http://gateway/v1/images/kolors-virtual-try-on"))
            let links = page.text.matches(of: /(?:href|src)="([^"]*)"/).map { String($0.output.1) }
            #expect(Set(links) == ["/openapi.json"])
        }
    }

    @Test func `load balancers get 200 at the root, and browsers the page`() async throws {
        try await Rig.run { rig in
            for (method, headers) in [("GET", []), ("HEAD", []), ("GET", ["Accept: */*"])] {
                let answer = try await rig.gateway.ask(method, "/", key: nil, headers: headers)
                #expect(answer.status == 200 && answer["X-Request-Id"] != nil && answer["Vary"] == "Accept")
                #expect(method == "HEAD" || answer.json["docs"] as? String == "/docs", "\(answer.text)")
            }
            let browser = ["Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"]
            let answer = try await rig.gateway.ask("GET", "/", key: nil, headers: browser)
            #expect(answer.status == 302 && answer["Location"] == "docs" && answer["Vary"] == "Accept")
            #expect(try await rig.gateway.ask("POST", "/", body: "{}").status == 405)
            let old = try await blocking { [port = rig.gateway.port] in
                let client = try RawClient(port: port)
                try client.send("GET / HTTP/1.0\r\n\r\n")
                return try client.readAnswer()
            }
            #expect(old?.status == 200)
        }
    }

    @Test func `an invalid host name is escaped on the page`() async throws {
        try await Rig.run { rig in
            let head = "GET /docs HTTP/1.1\r\nHost: a&b'c\r\n\r\n"
            let answer = try await blocking { [port = rig.gateway.port] in
                let client = try RawClient(port: port)
                try client.send(head)
                return try client.readAnswer()
            }
            let page = try #require(answer)
            #expect(page.status == 400 || page.text.contains("http://a&amp;b&#39;c/v1"))
            #expect(!page.text.contains("a&b'c"))
        }
    }

    @Test(.needsPython, .timeLimit(.minutes(10)), arguments: [true, false])
    func `schemathesis finds the document accurate, with a valid and with a wrong key`(isKnown: Bool) async throws {
        try await Rig.run(settings: "fetch: { allow: [127.0.0.0/8] }") { rig in
            let key = isKnown ? GatewayProcess.key : "sk-nobody's"
            try await RealClient.run("openapi.py", ["GATEWAY": rig.gateway.url, "KEY": key])
            #expect(isKnown == (rig.creates() > 0))
        }
    }
}
