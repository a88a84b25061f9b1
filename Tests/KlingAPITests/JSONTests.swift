import Base
import Foundation
import KlingAPI
import Testing

struct JSONTests {
    @Test(arguments: [
        ("{}", 0), ("[]", 0), ("{\"a\":1}", 1), (" {\"a\" : [1,{\"b\":[]}] , \"c\":\"\\ud83d\\ude00\"}\n", 2),
        ("[-0, 0.5, 1e5, -1.5E-3, 1E+2, 123456789012345678901234567890]", 6), ("{\"é\":\"日本😀\"}", 1),
        ("[true,false,null]", 3), ("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"", 0), ("{\"\":1,\"a\":{\"x\":1,\"x\":2}}", 2),
    ])
    func `valid JSON is read`(text: String, count: Int) throws {
        let bytes = Array(text.utf8)
        #expect(try JSONScanner(bytes.span, range: 0..<bytes.count).members.count == count)
    }

    static let refused: [(String, Int)] = [
        ("", 0), (" ", 1), ("{", 1), ("{\"a\"", 4), ("{\"a\":", 5), ("{\"a\":1", 6), ("{\"a\":1,}", 7), ("{,}", 1),
        ("[1,]", 3), ("[1}", 2), ("{\"a\":1]", 6), ("{a:1}", 1), ("{'a':1}", 1), ("{\"a\" 1}", 5), ("{} x", 3),
        ("{}{}", 2),
        ("[01]", 2), ("[-]", 2), ("[1.]", 3), ("[.5]", 1), ("[1e]", 3), ("[+1]", 1), ("[1e400]", 1), ("[-1e999]", 1),
        ("[NaN]", 1), ("[tru]", 1), ("[truefalse]", 5), ("[nul", 1), ("[\"a]", 4), ("[\"\\x\"]", 3),
        ("[\"\\u12g4\"]", 6),
        ("{\"\\ud800\":1}", 2), ("{\"\\udc00\":1}", 2), ("[\"a\nb\"]", 3), ("[\"\u{1}\"]", 2),
        ("{\"a\":1,\"a\":2}", 8), ("{\"a\":1,\"\\u0061\":2}", 8), ("{\"/\":1,\"\\/\":2}", 8), ("\u{FEFF}\u{FEFF}{}", 3),
        (" \u{FEFF}{}", 1), ("{}\u{FEFF}", 2), ("[\u{FEFF}]", 1), ("\u{FEFF}", 3), ("\u{FFFD}{}", 0),
        ("[1 2]", 3),
        ("// c\n{}", 0),
    ]

    @Test(arguments: ["\\ud800", "\\uDC00", "a\\udbff\\u0041", "\\udc00\\ud800", "\\uD83D\\uDE00\\ud83d"])
    func `half a surrogate pair is noted at its member`(text: String) throws {
        let bytes = Array("{\"a\":\"\(text)\",\"b\":[\"\(text)\"],\"c\":\"\\ud83d\\ude00\"}".utf8)
        let members = try JSONScanner(bytes.span, range: 0..<bytes.count).members
        #expect(members.map(\.hasLoneSurrogate) == [true, false, false])
    }

    @Test func `a byte order mark before the text is skipped`() throws {
        let bytes = Array("\u{FEFF}{\"a\":1}".utf8)
        let scan = try JSONScanner(bytes.span, range: 0..<bytes.count)
        #expect(scan.kind == .object && scan.members.count == 1 && scan.value == 3..<bytes.count)
    }

    @Test(arguments: ["\n", "\r"])
    func `the error for a line break in a string gives its usual cause`(mark: String) {
        let bytes = Array("[\"a\(mark)\"]".utf8)
        let error = #expect(throws: JSONError.self) { try JSONScanner(bytes.span, range: 0..<bytes.count) }
        #expect(error?.description.contains("base64 command writes without -w 0") == true)
    }

    @Test(arguments: refused)
    func `invalid JSON is refused at its offset`(text: String, offset: Int) {
        let bytes = Array(text.utf8)
        let error = #expect(throws: JSONError.self) { try JSONScanner(bytes.span, range: 0..<bytes.count) }
        #expect(error?.offset == offset)
    }

    @Test(
        arguments: [
            [0xFF], [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x9F, 0x80], [0xED, 0xA0, 0x80], [0xF0, 0x8F, 0x80, 0x80],
            [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0x80], [0xE2, 0x82], [0xE2, 0x82, 0x41], [0xC3],
        ] as [[UInt8]])
    func `malformed UTF-8 is refused`(sequence: [UInt8]) {
        let bytes = [0x5B, 0x22] + sequence + [0x22, 0x5D]
        #expect(throws: JSONError.self) { try JSONScanner(bytes.span, range: 0..<bytes.count) }
    }

    @Test func `64 levels are read and 65 are not`() throws {
        for (depth, isValid) in [(64, true), (65, false), (100_000, false)] {
            let bytes = [UInt8](repeating: 0x5B, count: depth) + [UInt8](repeating: 0x5D, count: depth)
            let scan = try? JSONScanner(bytes.span, range: 0..<bytes.count)
            #expect((scan != nil) == isValid)
        }
    }

    @Test func `members beyond the limit are refused, and elements are not limited`() throws {
        let members = (0...JSONScanner.maxMembers).map { "\"m\($0)\":0" }
        for (count, isValid) in [(JSONScanner.maxMembers, true), (JSONScanner.maxMembers + 1, false)] {
            let bytes = Array("{\(members.prefix(count).joined(separator: ","))}".utf8)
            #expect(((try? JSONScanner(bytes.span, range: 0..<bytes.count)) != nil) == isValid)
        }
        let list = Array("[\(Array(repeating: "0", count: 5000).joined(separator: ","))]".utf8)
        #expect(try JSONScanner(list.span, range: 0..<list.count).members.count == 5000)
    }

    @Test func `the elements of an array are kept only on request`() throws {
        let bytes = Array(#"[1,{"a":2},[3]]"#.utf8)
        var scanner = JSONScanner(range: 0..<bytes.count)
        #expect(try scanner.scan(bytes.span, upTo: bytes.count))
        #expect(scanner.kind == .array && scanner.members.isEmpty)
    }

    @Test func `a text scanned in slices of any size gives the same members`() throws {
        let text =
            "{\"name\":\"plain \\u00e9 日本 \(String(repeating: "x", count: 300))\\n\",\"b\":[1.5e3,{\"c\":null}],\"d\":true}"
        let bytes = Array(text.utf8)
        let whole = try JSONScanner(bytes.span, range: 0..<bytes.count)
        for size in 1...150 {
            var scanner = JSONScanner(range: 0..<bytes.count)
            var limit = size
            while try !scanner.scan(bytes.span, upTo: limit) { limit += size }
            #expect(scanner.members.map(\.value) == whole.members.map(\.value))
            #expect(scanner.members.map(\.valueHasEscapes) == [true, false, false])
        }
    }

    @Test func `a special byte is found anywhere in a long run`() {
        for length in [0, 1, 7, 8, 127, 128, 129, 300] {
            for special in [0x00, 0x1F, 0x80, 0xFF] as [UInt8] {
                let bytes =
                    [0x22] + [UInt8](repeating: 0x7F, count: length) + [special] + [UInt8](repeating: 0x20, count: 200)
                    + [0x22]
                let error = #expect(throws: JSONError.self) { try JSONScanner(bytes.span, range: 0..<bytes.count) }
                #expect(error?.offset == length + 1)
            }
        }
    }

    @Test(arguments: ["", "plain", "q\"b\\s/", "\u{0}\u{1F}\n\r\t", "é日本😀\u{2028}"])
    func `a written string reads back, here and with another parser`(text: String) throws {
        let json = JSONWriter.object { $0.member("t", text) }
        #expect(JSONObject(json)?.string("t") == text)
        #expect(try members(json)["t"] as? String == text)
    }

    @Test func `the writer puts commas where they belong`() throws {
        let json = JSONWriter.object { writer in
            writer.member("i", -5)
            writer.array("list") { list in
                list.integer(1)
                list.object { _ in }
                list.string("x")
                list.array { $0.json("null".utf8) }
            }
            writer.object("o") { $0.member("b", true) }
            writer.member("n", orNull: nil)
            writer.member("absent", ifPresent: nil)
        }
        #expect(String(decoding: json, as: UTF8.self) == #"{"i":-5,"list":[1,{},"x",[null]],"o":{"b":true},"n":null}"#)
    }
}
