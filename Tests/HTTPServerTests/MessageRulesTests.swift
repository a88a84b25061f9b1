import Testing

@testable import HTTPServer

/// What a head says about the request as a whole.
struct MessageRulesTests {
    /// The rules of a head with these lines, or the status that refuses it.
    private func outcome(_ line: String, _ fields: [String]) -> Result<MessageRules, HeadFault>? {
        var parser = HeadParser(limits: HeadLimits())
        let bytes = Array(([line] + fields + ["", ""]).joined(separator: "\r\n").utf8)
        return switch parser.parse(bytes.span).outcome {
        case .incomplete: nil
        case .complete(_, let rules): .success(rules)
        case .refused(let fault, _): .failure(fault)
        }
    }

    @Test(
        arguments: [
            // The version and the fields; then the framing, and whether the client keeps the connection and waits for
            // `100 Continue`.
            ("1.1", [], .none, true, false), ("1.0", [], .none, false, false),
            ("1.1", ["Content-Length: 0"], .none, true, false), ("1.1", ["content-length: 7"], .length(7), true, false),
            ("1.0", ["Content-Length: 7"], .length(7), false, false),
            ("1.1", ["Transfer-Encoding: chunked"], .chunked, true, false),
            ("1.1", ["Transfer-Encoding: Chunked"], .chunked, true, false),
            ("1.1", ["Connection: close"], .none, false, false), ("1.1", ["Connection: X, CLOSE"], .none, false, false),
            ("1.1", ["Connection: x", "Connection: close"], .none, false, false),
            ("1.1", ["Connection: keep-alive"], .none, true, false),
            ("1.1", ["Connection: keep-alive, close"], .none, false, false),
            ("1.1", ["Connection: closed"], .none, true, false),
            ("1.0", ["Connection: Keep-Alive"], .none, true, false),
            ("1.0", ["Connection: keep-alive", "Connection: close"], .none, false, false),
            ("1.1", ["Expect: 100-continue", "Content-Length: 7"], .length(7), true, true),
            ("1.1", ["Expect: 100-Continue", "Transfer-Encoding: chunked"], .chunked, true, true),
            ("1.1", ["Expect: 100-continue"], .none, true, false),
            ("1.1", ["Expect: 100-continue", "Content-Length: 0"], .none, true, false),
            ("1.0", ["Expect: 100-continue", "Content-Length: 7"], .length(7), false, false),
            ("1.0", ["Expect: wonders"], .none, false, false),
        ] as [(String, [String], BodyFraming, Bool, Bool)])
    func `a head says how its body is delimited and whether the connection is kept`(
        version: String, fields: [String], framing: BodyFraming, keepsAlive: Bool, expectsContinue: Bool
    ) throws {
        let rules = try #require(try outcome("POST / HTTP/\(version)", ["Host: a"] + fields)?.get())
        #expect(rules.framing == framing)
        #expect(rules.keepsAlive == keepsAlive)
        #expect(rules.expectsContinue == expectsContinue)
    }

    @Test(
        arguments: [
            ("1.1", ["Content-Length: 7", "Content-Length: 7"], 400), ("1.1", ["Content-Length: +7"], 400),
            ("1.1", ["Content-Length: 7, 7"], 400), ("1.1", ["Content-Length: "], 400),
            ("1.1", ["Content-Length: 99999999999999999999"], 400),
            ("1.1", ["Content-Length: 7", "Transfer-Encoding: chunked"], 400),
            ("1.0", ["Transfer-Encoding: chunked"], 400),
            ("1.1", ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], 400),
            ("1.1", ["Transfer-Encoding: chunked, gzip"], 400), ("1.1", ["Transfer-Encoding: "], 400),
            ("1.1", ["Transfer-Encoding: chunked,"], 400), ("1.1", ["Transfer-Encoding: gzip, chunked"], 501),
            ("1.1", ["Transfer-Encoding: gzip"], 501), ("1.1", ["Expect: wonders"], 417),
            ("1.1", ["Expect: 100-continue", "Expect: wonders"], 417), ("1.1", ["Host: a"], 400),
        ] as [(String, [String], Int)])
    func `a head that two parsers could interpret differently is refused`(
        version: String, fields: [String], status: Int
    ) {
        guard case .failure(let fault) = outcome("POST / HTTP/\(version)", ["Host: a"] + fields) else {
            Issue.record("accepted")
            return
        }
        #expect(fault.status == status)
    }

    @Test(
        arguments: [
            ("GET / HTTP/1.1", [], 400), ("GET / HTTP/1.0", [], nil), ("BREW / HTTP/1.1", ["Host: a"], 501),
            // A malformed head is refused as such, whatever its method is.
            ("BREW / HTTP/1.1", [], 400), ("BREW / HTTP/1.1", ["Host: a", "Content-Length: x"], 400),
            ("OPTIONS * HTTP/1.1", ["Host: a"], nil), ("GET * HTTP/1.1", ["Host: a"], 400),
        ] as [(String, [String], Int?)])
    func `a host is required and the method must be known`(line: String, fields: [String], status: Int?) throws {
        switch try #require(outcome(line, fields)) {
        case .success: #expect(status == nil)
        case .failure(let fault): #expect(fault.status == status)
        }
    }
}
