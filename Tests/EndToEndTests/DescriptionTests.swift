import Foundation
import KlingSimulator
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
            let anchors = page.text.matches(of: /id="([^"]*)"/).map { "#" + $0.output.1 }
            #expect(Set(anchors).count == anchors.count)
            let links = Set(page.text.matches(of: /(?:href|src)="([^"]*)"/).map { String($0.output.1) })
            #expect(links.subtracting(anchors) == ["/openapi.json"])
        }
    }

    @Test func `the page lists every path once, and members in tables`() async throws {
        try await Rig.run { rig in
            let page = try await rig.gateway.ask("GET", "/docs", key: nil).text
            let document = try await rig.gateway.ask("GET", "/openapi.json", key: nil).json
            let paths = try #require(document["paths"] as? [String: Any])
            let entries = page.matches(of: /<h3><code>([^<]*)<\/code><\/h3>/).map { String($0.output.1) }
            let others = page.matches(of: /<p>Also at (.*)\.<\/p>/).flatMap { line in
                line.output.1.matches(of: /<code>([^<]*)<\/code>/).map { String($0.output.1) }
            }
            #expect((entries + others).sorted() == paths.keys.sorted())
            let contents = try #require(page.firstMatch(of: /(?s)<nav>(.*)<\/nav>/)).output.1
            for path in entries { #expect(contents.contains("<code>\(path)</code>")) }
            // A range is given once, not value by value.
            #expect(page.contains("1 to 50.") && !page.contains("`49`") && !page.contains(">49<"))
            for name in ["external_task_id", "human_image", "data.task_result.images[].url", "contents[].url"] {
                #expect(page.contains("<td><code>\(name)</code></td>"), "\(name)")
            }
        }
    }

    /// What the variables of an example stand for.
    private static func variables(_ example: String, _ known: [String: String]) -> [String: String] {
        let id =
            switch example {
            case _ where example.contains("/models/"): "kolors-virtual-try-on-v1"
            case _ where example.contains("/kling/tasks/"): known["job"] ?? ""
            default: known["task"] ?? ""
            }
        return ["KEY": GatewayProcess.key, "ID": id, "NAME": known["name"] ?? ""]
    }

    @Test func `every example of the page runs as it stands`() async throws {
        try await Rig.run { rig in
            let folder = try TemporaryFolder()
            for name in ["person.jpg", "garment.jpg"] {
                try Data(SamplePictures.person).write(to: URL(filePath: folder.path(name)))
            }
            func run(_ command: String, _ variables: [String: String]) async throws -> String {
                let script =
                    "curl() { command curl -sS --fail-with-body --noproxy '*' \"$@\"; }\ncd '\(folder.path(""))'\n"
                let outcome = try await Program("bash", ["-c", script + command], environment: variables).end()
                #expect(outcome.status == 0, "\(command)\n\(outcome.output)\n\(outcome.errors)")
                return outcome.output
            }
            let page = try await run("curl \(rig.gateway.url)/docs", [:])
            let examples = page.matches(of: /(?s)<pre>(curl .*?)<\/pre>/).map { match in
                [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
                    .reduce(String(match.output.1)) { $0.replacingOccurrences(of: $1.0, with: $1.1) }
            }
            #expect(examples.count > 12)
            // Examples that make something come first, so that the others can name it.
            let makers = examples.filter { $0.contains("<<END") || $0.contains(" -F ") || $0.contains("--data-binary") }
            var known: [String: String] = [:]
            for example in makers + examples.filter({ !makers.contains($0) }) {
                let answer = try await run(example, Self.variables(example, known))
                // Pages and pictures are not JSON.
                let json = (try? JSONSerialization.jsonObject(with: Data(answer.utf8))) as? [String: Any] ?? [:]
                if let data = json["data"] as? [String: Any], let id = data["task_id"] as? String { known["task"] = id }
                if let job = json["task"] as? [String: Any], let id = job["id"] as? Int { known["job"] = "\(id)" }
                if let url = json["url"] as? String { known["name"] = url.split(separator: "/").last.map(String.init) }
            }
            #expect(Set(known.keys) == ["task", "job", "name"])
            #expect(rig.creates() >= 6)
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

    @Test(.needsPython, .timeLimit(.minutes(20)), arguments: [true, false])
    func `schemathesis finds the document accurate, with a valid and with a wrong key`(isKnown: Bool) async throws {
        try await Rig.run(settings: "fetch: { allow: [127.0.0.0/8] }") { rig in
            let key = isKnown ? GatewayProcess.key : "sk-nobody's"
            try await RealClient.run("openapi.py", ["GATEWAY": rig.gateway.url, "KEY": key])
            #expect(isKnown == (rig.creates() > 0))
        }
    }
}
