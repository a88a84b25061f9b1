import Base
import Testing

@testable import HTTPClient

struct AnswerReaderTests {
    /// A reader with small limits: heads of 100 bytes, two interim answers, and a body of 10 bytes.
    private static func reader(keepsBody: Bool = true) -> AnswerReader {
        var configuration = HTTPClientConfiguration()
        configuration.maximumHeadBytes = 100
        configuration.maximumInterimAnswers = 2
        return AnswerReader(configuration, maximumBody: 10, keepsBody: keepsBody)
    }

    /// Lines of a head, or pieces of a body, which begin with ">".
    private static func feed(_ pieces: [String], to reader: inout AnswerReader) -> Bool {
        for piece in pieces {
            let isBody = piece.hasPrefix(">")
            let bytes = Array((isBody ? String(piece.dropFirst()) : piece + "\r\n").utf8)
            let isTaken = bytes.withUnsafeBytes { bytes in
                isBody ? reader.take(body: bytes, expected: -1) : reader.take(line: bytes)
            }
            guard isTaken else { return false }
        }
        return true
    }

    private struct Row {
        let pieces: [String]
        var isComplete = true
        var fields: [String] = []
        var body = ""
    }

    private static let ok = "HTTP/1.1 200 OK"
    private static let interim = ["HTTP/1.1 103 Early Hints", "Link: x", ""]

    private static let accepted = [
        Row(pieces: [], isComplete: false),
        Row(pieces: [ok], isComplete: false),
        Row(pieces: [ok, "A: 1"], isComplete: false, fields: ["A=1"]),
        Row(pieces: [ok, "A: 1", ""], fields: ["A=1"]),
        Row(pieces: [ok, "A:1", "a: \t 2 \t", "B:", "none", ": none", ""], fields: ["A=1", "a=2", "B="]),
        Row(pieces: [ok, "", ">abc", ">", ">defghij"], body: "abcdefghij"),
        Row(pieces: ["HTTP/2 204", ""]),
        Row(pieces: ["HTTP/1.1", ""]),
        Row(pieces: interim, isComplete: false, fields: ["Link=x"]),
        Row(pieces: interim + interim, isComplete: false, fields: ["Link=x"]),
        Row(pieces: interim + [ok, "A: 1", "", ">x"], fields: ["A=1"], body: "x"),
        // What follows the body is a trailer, whatever it looks like.
        Row(pieces: [ok, "A: 1", "", ">x", "B: 2", "", ok, "C: 3"], fields: ["A=1"], body: "x"),
        Row(pieces: [ok, "A: 1", "", "B: 2"], fields: ["A=1"]),
        // The answer to CONNECT, or to a request that was sent again, is followed by another head.
        Row(pieces: [ok, "A: 1", "", ok, "B: 2", ""], fields: ["B=2"]),
        Row(pieces: [ok, "A: 1", "", ok, "B: 2"], isComplete: false, fields: ["B=2"]),
    ]

    @Test(arguments: accepted.indices)
    func `an answer is what its last head and the bytes after it say`(index: Int) {
        let row = Self.accepted[index]
        var reader = Self.reader()
        #expect(Self.feed(row.pieces, to: &reader))
        #expect(reader.violation == nil)
        #expect(reader.hasBegun == !row.pieces.isEmpty)
        #expect(reader.isHeadComplete == row.isComplete)
        #expect(reader.headers.map { "\($0.name)=\($0.value)" } == row.fields)
        #expect(reader.headers.count == row.fields.count)
        #expect(String(decoding: reader.body, as: UTF8.self) == row.body)
        #expect(reader.bodyCount == row.body.utf8.count)
    }

    /// A field line of this many bytes, with its line end.
    private static func line(_ count: Int) -> String { "A:" + String(repeating: "a", count: count - 4) }

    private static let limits: [(fits: [String], excess: String, violation: AnswerReader.Violation)] = [
        ([line(100)], "", .headTooLarge),
        ([ok, line(81), ""], "B: 1", .headTooLarge),
        ([ok, "", ">x", line(79)], "B", .headTooLarge),
        (["HTTP/1.1 100 C", "", ok, line(63), ""], "", .headTooLarge),
        (interim + interim, "HTTP/1.1 100 Continue", .tooManyInterimAnswers),
        ([ok, "", ">0123456789"], ">a", .bodyTooLarge),
        ([ok, "", ">012345678"], ">9a", .bodyTooLarge),
    ]

    @Test(arguments: [true, false], limits.indices)
    func `a limit is exceeded by the first byte beyond it`(keepsBody: Bool, index: Int) {
        let row = Self.limits[index]
        var reader = Self.reader(keepsBody: keepsBody)
        #expect(Self.feed(row.fits, to: &reader))
        #expect(!Self.feed([row.excess], to: &reader))
        #expect(reader.violation == row.violation)
    }

    @Test func `the first limit that was exceeded is the one that is named`() {
        var reader = Self.reader()
        #expect(!Self.feed([Self.ok, "", ">0123456789a"], to: &reader))
        #expect(!Self.feed([Self.line(200)], to: &reader))
        #expect(reader.violation == .bodyTooLarge)
    }

    @Test func `a body that is not kept is counted`() {
        var reader = Self.reader(keepsBody: false)
        #expect(Self.feed([Self.ok, "", ">abc", ">de"], to: &reader))
        #expect(reader.bodyCount == 5)
        #expect(reader.body.isEmpty)
    }
}

struct RequestBodyTests {
    @Test(arguments: 1...9)
    func `a body is read once, whatever its slices and the space for it`(space count: Int) {
        let block = Bytes(Array(0..<8))
        var body = RequestBody([0..<0, 0..<3, 3..<3, 3..<4, 1..<8, 8..<8].map { ByteSlice(block, $0) })
        #expect(body.count == 11)
        var space = [UInt8](repeating: 0xFF, count: count)
        var bytes: [UInt8] = []
        while true {
            let read = space.withUnsafeMutableBytes { body.read(into: $0) }
            #expect(read == min(count, 11 - bytes.count))
            if read == 0 { break }
            bytes += space[..<read]
            #expect(body.handedOut == bytes.count)
        }
        #expect(bytes == [0, 1, 2, 3, 1, 2, 3, 4, 5, 6, 7])
    }
}
