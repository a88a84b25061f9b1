import Base
import Testing

struct ByteSearchTests {
    /// Bytes that no test marks, with one special byte.
    private func bytes(_ count: Int, _ special: UInt8, at index: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: UInt8(ascii: "a"), count: count)
        bytes[index] = special
        return bytes
    }

    @Test(arguments: [0x00, 0x1F, 0x22, 0x7F, 0x80, 0xFF] as [UInt8])
    func `a marked byte is found anywhere`(special: UInt8) {
        for count in 1...25 {
            for index in 0..<count {
                let bytes = bytes(count, special, at: index)
                let found = bytes.span.firstIndex(in: 0..<count) {
                    $0.below(0x20) | $0.equal(to: 0x22) | $0.equal(to: 0x7F) | $0.nonASCII
                }
                #expect(found == index)
                #expect(bytes.span.firstIndex(of: special) == index)
            }
        }
    }

    @Test func `nothing outside of the range is found`() {
        let bytes = Array("\"aaaaaaaaaaaa\"".utf8)
        for end in 1..<bytes.count {
            #expect(bytes.span.firstIndex(in: 1..<end) { $0.equal(to: 0x22) | $0.below(0x20) } == end)
        }
        #expect([UInt8]().span.firstIndex(of: 0) == nil)
    }

    @Test func `each value is marked where it belongs`() {
        for value in UInt8.min...UInt8.max {
            let bytes = bytes(8, value, at: 5)
            let word = ByteWord(bytes.span, at: 0)
            #expect((word.below(0x21) != 0) == (value < 0x21))
            #expect((word.equal(to: 0x7F) != 0) == (value == 0x7F))
            #expect((word.nonASCII != 0) == (value >= 0x80))
        }
    }

    @Test func `a list is split at its commas`() {
        var parts: [String] = []
        Array(" a,,b\t, c d ,".utf8).span.forEachListed { part in
            parts.append(String(decoding: part.indices.map { part[$0] }, as: UTF8.self))
        }
        #expect(parts == ["a", "", "b", "c d", ""])
    }

    @Test(arguments: [
        ("Content-Length", true), ("content-length", true), ("CONTENT-LENGTH", true), ("content_length", false),
        ("content-lengthy", false), ("", false), ("content\rlength", false),
    ])
    func `names are compared without case`(name: String, isEqual: Bool) {
        #expect(Array(name.utf8).span.equalsIgnoringCase("Content-Length") == isEqual)
        #expect(Array(name.utf8).span.equals("Content-Length") == (name == "Content-Length"))
    }

    @Test func `text and numbers are appended as UTF-8`() {
        var bytes: [UInt8] = []
        bytes.append("a: ")
        bytes.append(utf8: "é and a text that is not small")
        for number in [0, 9, 10, 1_234_567, .max] {
            bytes.append(" ")
            bytes.append(number: number)
        }
        #expect(bytes == Array("a: é and a text that is not small 0 9 10 1234567 \(Int.max)".utf8))
    }
}
