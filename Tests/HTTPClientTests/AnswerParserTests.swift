import Testing

@testable import HTTPClient

struct AnswerParserTests {
    struct Understood: Sendable, CustomTestStringConvertible {
        var name: String
        var text: String
        var body = ""
        var status = 200
        var isPersistent = true
        /// Whether the answer ends with the connection.
        var needsEnd = false
        var testDescription: String { name }
    }

    static let understood = [
        Understood(name: "a length", text: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", body: "hi"),
        Understood(name: "no reason", text: "HTTP/1.1 201\r\nContent-Length: 0\r\n\r\n", status: 201),
        Understood(name: "an empty reason", text: "HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n", status: 404),
        Understood(name: "LF alone", text: "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", body: "hi"),
        Understood(
            name: "the same length twice",
            text: "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\ncontent-length:2\r\n\r\nhi",
            body: "hi"),
        Understood(
            name: "a space before the colon", text: "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nhi", body: "hi"),
        Understood(
            name: "chunks",
            text: "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\nh\r\n00001\r\ni\r\n0\r\n\r\n",
            body: "hi"),
        Understood(
            name: "chunks with all that is allowed",
            text:
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nA ;a=\"b\"\r\n0123456789\r\n0;x\r\nX: y\r\nZ:\r\n\r\n",
            body: "0123456789"),
        Understood(
            name: "chunks with LF alone",
            text: "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nhi\n0\nX: y\n\n", body: "hi"),
        Understood(
            name: "chunks and a length",
            text: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
            body: "hi", isPersistent: false),
        Understood(
            name: "chunks in HTTP/1.0",
            text: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
            body: "hi", isPersistent: false),
        Understood(
            name: "until the end", text: "HTTP/1.1 200 OK\r\n\r\nhi", body: "hi", isPersistent: false, needsEnd: true),
        Understood(
            name: "nothing until the end", text: "HTTP/1.1 200 OK\r\n\r\n", isPersistent: false, needsEnd: true),
        Understood(
            name: "identity", text: "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nhi",
            body: "hi"),
        Understood(
            name: "HTTP/1.0", text: "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", body: "hi", isPersistent: false),
        Understood(
            name: "HTTP/1.0 with keep-alive",
            text: "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nhi", body: "hi"),
        Understood(
            name: "close", text: "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 2\r\n\r\nhi", body: "hi",
            isPersistent: false),
        Understood(name: "204", text: "HTTP/1.1 204 No Content\r\n\r\n", status: 204),
        Understood(
            name: "204 with a length", text: "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", status: 204,
            isPersistent: false),
        Understood(
            name: "304 with a length", text: "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", status: 304),
        Understood(
            name: "interim answers",
            text: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nContent-Length: 7\r\n\r\n"
                + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", body: "hi"),
        Understood(
            name: "a folded field", text: "HTTP/1.1 200 OK\r\nX: a\r\n \t b\r\nContent-Length:\r\n 2\r\n\r\nhi",
            body: "hi"),
    ]

    @Test(arguments: understood)
    func `an answer that leaves no doubt is understood, however it is cut`(answer: Understood) throws {
        for size in [Int.max, 1, 2, 7] {
            var parser = try parse(answer.text, size: size, consumes: true)
            if answer.needsEnd {
                #expect(!parser.isComplete)
                var cut = parser
                let (isWholeIfCut, isWhole) = (cut.end(isClean: false), parser.end(isClean: true))
                #expect(!isWholeIfCut && isWhole)
            }
            #expect(parser.isComplete)
            #expect(parser.status == answer.status)
            #expect(String(decoding: parser.body, as: UTF8.self) == answer.body)
            #expect(parser.isPersistent == answer.isPersistent)
        }
    }

    @Test func `a folded field reads as one line, and the fields after it are separate`() throws {
        let parser = try parse("HTTP/1.1 200 OK\r\nX:  a \r\n  b\r\n\tc \r\nY: d\r\nContent-Length: 0\r\n\r\n", size: 1)
        #expect(parser.headers["x"] == "a b c")
        #expect(parser.headers["y"] == "d")
        #expect(parser.headers.map(\.value) == ["a b c", "d", "0"])
    }

    static let head = "HTTP/1.1 200 OK\r\n"
    static let malformed = [
        "\r\nHTTP/1.1 200 OK\r\n\r\n", "http/1.1 200 OK\r\n\r\n", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 099 OK\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n",
        "HTTP/1.1 101 Switch\r\n\r\n",
        "SSH-2.0-OpenSSH", head + " X: folded first\r\n\r\n", head + "no colon\r\n\r\n", head + ": no name\r\n\r\n",
        head + "X: a\rb\r\n\r\n", head + "X: a\0b\r\n\r\n", head + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n",
        head + "Content-Length: 2, 3\r\n\r\n", head + "Content-Length: +2\r\n\r\n", head + "Content-Length: \r\n\r\n",
        head + "Content-Length: 2,\r\n\r\n", head + "Content-Length: 0x2\r\n\r\n",
        head + "Content-Length: 1\r\n 0\r\n\r\n", head + "Content-Length: 9999999999999999999\r\n\r\n",
        head + "Transfer-Encoding: gzip, chunked\r\n\r\n", head + "Transfer-Encoding: chunked, chunked\r\n\r\n",
        head + "Transfer-Encoding: chunke\r\n\r\n",
    ]
    static let malformedChunks = [
        "\r\n", "zz\r\n", "-1\r\n", " 1\r\na\r\n", "1\r\nab\r\n", "fffffffffffffffff\r\n", "1x\r\n",
    ]

    @Test(arguments: malformed + malformedChunks.map { head + "Transfer-Encoding: chunked\r\n\r\n" + $0 })
    func `an answer that leaves a doubt is malformed`(text: String) {
        for size in [Int.max, 1] {
            let fault = #expect(throws: AnswerFault.self) { try parse(text, size: size) }
            if case .malformed = fault { continue }
            Issue.record("\(String(describing: fault))")
        }
    }

    static let tooLarge: [(String, AnswerFault)] = [
        (head + "X: " + String(repeating: "x", count: 1000), .head),
        (String(repeating: "HTTP/1.1 100 C\r\nX: \(String(repeating: "x", count: 300))\r\n\r\n", count: 2), .head),
        (head + String(repeating: "X:\r\n", count: 9), .fields),
        (String(repeating: "HTTP/1.1 100 C\r\n\r\n", count: 4), .interimAnswers),
        (head + "Content-Length: 11\r\n\r\n", .body),
        (head + "\r\n12345678901", .body),
        (head + "Transfer-Encoding: chunked\r\n\r\n6\r\n123456\r\n5\r\n12345", .body),
        (head + "Transfer-Encoding: chunked\r\n\r\n1;" + String(repeating: "x", count: 20_000), .trailers),
        (head + "Transfer-Encoding: chunked\r\n\r\n0\r\n" + String(repeating: "X: y\r\n", count: 5_000), .trailers),
    ]

    @Test(arguments: tooLarge)
    func `an answer over a limit is refused`(text: String, expected: AnswerFault) {
        for size in [Int.max, 1] {
            #expect(throws: expected) { try parse(text, size: size) }
        }
    }

    @Test func `a body that is not kept is still counted and limited`() throws {
        let parser = try parse(Self.head + "Content-Length: 10\r\n\r\n0123456789", keepsBody: false)
        #expect(parser.isComplete && parser.body.isEmpty && parser.bodyCount == 10)
        #expect(throws: AnswerFault.body) { try parse(Self.head + "\r\n12345678901", keepsBody: false) }
    }

    @Test func `bytes after the answer are left`() throws {
        var parser = AnswerParser(limits(keepsBody: true))
        let text = Array((Self.head + "Content-Length: 1\r\n\r\nxHTTP/1.1").utf8)
        #expect(try text.withUnsafeBytes { try parser.take($0) } == text.count - 8)
    }

    private func limits(keepsBody: Bool) -> AnswerParser.Limits {
        var configuration = HTTPClientConfiguration()
        configuration.maximumHeadBytes = 500
        configuration.maximumInterimAnswers = 3
        var limits = AnswerParser.Limits(configuration, bodyBytes: 10, keepsBody: keepsBody)
        limits.fields = 8
        return limits
    }

    private func parse(
        _ text: String, size: Int = .max, keepsBody: Bool = true, consumes: Bool = false
    ) throws -> AnswerParser {
        var parser = AnswerParser(limits(keepsBody: keepsBody))
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(size))
            let used = try piece.withUnsafeBytes { try parser.take($0) }
            if consumes { #expect(used == piece.count) }
            rest = rest.dropFirst(piece.count)
        }
        return parser
    }
}
