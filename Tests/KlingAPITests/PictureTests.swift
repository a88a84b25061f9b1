import Base
import Foundation
import Testing

@testable import KlingAPI

struct PictureTests {
    private func sent(_ picture: String) async throws -> String? {
        try await upstream(create([("human_image", "\"\(picture)\""), ("cloth_image", urlB), ("x", "1")]))[
            "human_image"]
            as? String
    }

    private func problem(_ picture: String) async -> String {
        await failure(create([("human_image", "\"\(picture)\""), ("cloth_image", urlB)]))?.message ?? "accepted"
    }

    private static func wrapped(_ text: String, _ lineEnd: String) -> String {
        stride(from: 0, to: text.count, by: 76).map { String(text.dropFirst($0).prefix(76)) }.joined(separator: lineEnd)
    }

    private static func percentEncoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    }

    typealias Rewriting = @Sendable (String) -> String
    static let rewritings: [(String, Rewriting)] = [
        ("as it is", { $0 }),
        ("data URL", { "data:image/png;base64," + $0 }),
        ("data URL with a parameter", { "DATA:image/png;charset=utf-8;BASE64," + $0 }),
        ("PHP's slashes", { $0.replacingOccurrences(of: "/", with: "\\/") }),
        ("PHP's data URL", { ("data:image/png;base64," + $0).replacingOccurrences(of: "/", with: "\\/") }),
        (".NET's plus", { $0.replacingOccurrences(of: "+", with: "\\u002B") }),
        ("line feeds", { wrapped($0, "\\n") }),
        ("carriage returns", { wrapped($0, "\\r\\n") + "\\r\\n" }),
        ("spaces", { " \\t" + wrapped($0, "  ") + " " }),
        ("URL-safe letters", { $0.replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_") }),
        ("no padding", { $0.replacingOccurrences(of: "=", with: "") }),
        ("escaped padding", { $0.replacingOccurrences(of: "=", with: "\\u003d") }),
        ("data URL without padding", { "data:image/png;base64," + $0.replacingOccurrences(of: "=", with: "") }),
        ("space before a data URL", { " data:image/png;base64," + $0 }),
        ("double quotes", { "\\\"" + $0 + "\\\"" }),
        ("single quotes around a data URL", { "'data:image/png;base64," + $0 + "'" }),
        ("percent-encoding", { percentEncoded($0) }),
        ("percent-encoded data URL", { percentEncoded("data:image/png;base64," + $0) }),
        ("base64 twice", { Samples.base64(Array($0.utf8)) }),
        ("base64 of a data URL", { Samples.base64(Array(("data:image/png;base64," + $0).utf8)) }),
        ("line feed before a data URL", { "\\ndata:image/png;base64,\\n" + $0 }),
    ]

    @Test(arguments: rewritings.indices, [19, 20, 21, 500, 30_000])
    func `every way to write base64 is repaired`(index: Int, tail: Int) async throws {
        let picture = Samples.base64(Samples.png(tail: tail))
        #expect(try await sent(Self.rewritings[index].1(picture)) == picture, "\(Self.rewritings[index].0)")
    }

    @Test(arguments: [0, 1, 1023, 1024, 4096, 1_000_000, 1 << 20, (1 << 20) + 1, 1_333_000, 1_333_359])
    func `a wrong letter is found anywhere in a large picture`(place: Int) async throws {
        var letters = Array(Samples.base64(Samples.png(tail: 1_000_000)).utf8)
        #expect(await problem(String(decoding: letters, as: UTF8.self)) == "accepted")
        letters[place] = UInt8(ascii: "!")
        let found = await problem(String(decoding: letters, as: UTF8.self))
        #expect(found.contains("found '!' after \(place) letters of base64"))
    }

    @Test func `a repaired picture over several slices is complete`() async throws {
        let picture = Samples.base64(Samples.jpeg(tail: 2_400_001))
        let rewritten = picture.replacingOccurrences(of: "/", with: "\\/").replacingOccurrences(of: "=", with: "")
        #expect(try await sent(rewritten) == picture)
    }

    @Test(arguments: [
        ("", "is missing"), ("   ", "no picture in it"), ("====", "no picture in it"), ("AAAAA", "cut off"),
        ("AAA==", "too much padding"),
        ("AAAA=", "too much padding"), ("AA=A", "found 'A' after 2"), ("AAAA!AAA", "found '!' after 4"),
        ("AAAA\\u0000AAA", "0x0 after 4"), ("AAAAé", "after 4 letters"), ("ftp://x/y", "scheme 'ftp'"),
        ("file:///etc/passwd", "scheme 'file'"), ("data:image/png,AAAA", "not base64"),
        ("data:image/png;base64,", "no picture in it"), ("HTTPS://", "without a host"), ("AAAA", "not a picture"),
        ("UklGRgAAAABXRUJQVlA4", "like a WebP file, but its header is broken"), ("R0lGODlhAAAA", "GIF"),
        ("PGh0bWw+", "HTML"),
        ("/9j/4AAQ", "header is broken"), ("iVBORw0KGgo=", "header is broken"),
    ])
    func `a text that is not a picture is refused with a reason`(text: String, reason: String) async {
        let message = await problem(text)
        #expect(message.hasPrefix("human_image ") && message.contains(reason), "\(message)")
    }

    @Test(arguments: [
        ("undefined", "the text 'undefined'"), ("null", "the text 'null'"), ("None", "the text 'None'"),
        ("data:image/png;base64,undefined", "the text 'undefined'"), ("b'iVBORw0KGgo='", "Python bytes"),
        ("data:image/png;base64,b'iVBORw0KGgo='", "Python bytes"), ("[object File]", "JavaScript object"),
        ("/home/ann/person.jpg", "a file's path"), ("C:\\\\Users\\\\ann\\\\person.png", "a file's path"),
        ("person.webp", "a file's path"), ("./a", "a file's path"),
        ("https%3A%2F%2Fa.example%2Fb", "percent-encoded URL"),
    ])
    func `the error for a text that is not a picture says what it is`(text: String, name: String) async {
        let message = await problem(text)
        #expect(message.hasPrefix("human_image is ") && message.contains(name), "\(message)")
    }

    @Test(arguments: [19, 20, 21, 500, 30_000])
    func `a plus that became a space in a form decoder is restored`(tail: Int) async throws {
        let picture = Samples.base64(Samples.png(tail: tail) + [0x03, 0xE0, 0xF8, 0x3E, 0x0F, 0x83])
        #expect(picture.contains("+"))
        #expect(try await sent(picture.replacingOccurrences(of: "+", with: " ")) == picture)
        let prefixed = "data:image/png;base64," + picture.replacingOccurrences(of: "+", with: " ")
        #expect(try await sent(prefixed) == picture)
    }

    @Test(arguments: [
        ("AAAA AAAA AAAA", 0, Base64Spaces.Meaning.whitespace), ("AAAA AAAA AA", 2, .whitespace),
        ("AA+A AAA", 1, .whitespace), ("AA AAAAA", 0, .plus), ("AA A", 0, .plus), ("A AA", 0, .plus),
        ("AAAA AA", 1, .plus), ("AAA AAAA", 1, .whitespace), ("AAA  AAAAA", 0, .unclear),
        ("AAAA AAA", 0, .unclear),
    ])
    func `spaces count as whitespace or plus where only one is possible`(
        text: String, padding: Int, meaning: Base64Spaces.Meaning
    ) {
        var spaces = Base64Spaces()
        let bytes = Array(text.utf8)
        spaces.read(bytes.span, 0..<bytes.count)
        #expect(spaces.meaning(padding: padding) == meaning)
    }

    @Test(arguments: [
        (" https://a.example/b\\n", "https://a.example/b"), ("//Cdn.Example/b", "https://cdn.example/b"),
        ("\\/\\/cdn.example/b", "https://cdn.example/b"), ("HTTP://A.Example/B", "http://a.example/B"),
        ("https://a.example/a b/é.jpg?x=ü", "https://a.example/a%20b/%C3%A9.jpg?x=%C3%BC"),
        ("https://Bücher.example:8443/b", "https://xn--bcher-kva.example:8443/b"),
        ("https://例え.テスト", "https://xn--r8jz45g.xn--zckzah"), ("'https://a.example/b'", "https://a.example/b"),
        ("https://ｗｗｗ．Ｓｈｏｐ－１．example/ａ", "https://www.shop-1.example/%EF%BD%81"),
        ("http://１２７．０．０．１/b", "http://127.0.0.1/b"),
        ("https://User:Pass@A.example/b", "https://User:Pass@a.example/b"),
        ("https://a.example/b%20c", "https://a.example/b%20c"),
    ])
    func `a link is sent as Kling can read it`(given: String, link: String) async throws {
        #expect(try await sent(given) == link)
        #expect(
            try await parse(create([("human_image", "\"\(given)\""), ("cloth_image", urlB)])).pictureURL(.human) == link
        )
    }

    @Test(arguments: [
        ("https://", "without a host"), ("https://:80/a", "without a host"), ("https:///a", "without a host"),
        ("https://user@/a", "without a host"),
        ("https://\(String(repeating: "a", count: 64)).example/b.jpg", "63 characters"),
        ("https://\(String(repeating: "ü", count: 60)).example/b.jpg", "63 characters"),
        ("https://\(String(repeating: "ü", count: 64)).example/b.jpg", "63 characters"),
        ("https://\(String(repeating: "abc.", count: 70))example/b.jpg", "253 in all"),
        ("https://\u{301}a.example/b.jpg", "not allowed"), ("https://shop.\u{0903}a/b.jpg", "not allowed"),
        ("https://a%20b.example/c", "not allowed"), ("https://a b.example/c", "not allowed"),
    ])
    func `a link with an invalid host is refused, naming the field`(link: String, problem: String) async throws {
        for field in ["human_image", "cloth_image"] {
            let other = field == "human_image" ? "cloth_image" : "human_image"
            let error = await failure(create([(field, "\"\(link)\""), (other, urlB)]))
            #expect(error?.parameter == field && error?.message.contains(problem) == true, "\(error?.message ?? "")")
        }
    }

    @Test(arguments: [
        "https://\(String(repeating: "a", count: 63)).example/\(String(repeating: "b", count: 300))",
        "https://user:p%40ss@a.example/%20", "https://[2001:db8::1]:8443/a", "https://a.example./b",
        "https://a.example:8443?\(String(repeating: "c", count: 300))",
    ])
    func `a link with a valid host is passed on as it is`(link: String) async throws {
        #expect(try await sent(link) == link)
    }

    @Test(arguments: [
        ("Bücher", "Bcher-kva"), ("münchen", "mnchen-3ya"), ("例え", "r8jz45g"),
        ("他们为什么不说中文", "ihqwcrb4cv8a8dqg056pqjye"),
        ("Pročprostěnemluvíčesky", "Proprostnemluvesky-uyb24dma41a"), ("☃", "n3h"),
    ])
    func `Punycode is that of RFC 3492`(label: String, ascii: String) {
        #expect(Punycode.encoded(label) == ascii)
    }

    @Test(arguments: ["https://a/b.webp", "https:\\/\\/a\\/b|c", "\\u0068ttps://a/b'c", "http://a/%20?B#c"])
    func `a URL is passed on unchanged`(url: String) async throws {
        let text = create([("human_image", "\"\(url)\""), ("cloth_image", urlB)])
        let body = joined(try await parse(text).upstreamBody(externalTaskID: "GW", callbackURL: nil))
        #expect(String(decoding: body, as: UTF8.self).contains("\"human_image\":\"\(url)\""))
    }

    @Test(arguments: [
        ("VP8 ", [0, 0, 0, 0x9D, 1, 0x2A, 0x90, 1, 0x2D, 1], 400), ("VP8L", [0x2F, 0x8F, 0x01, 0x4B, 0x00], 400),
        ("VP8X", [0, 0, 0, 0, 0xFF, 7, 0, 0x2C, 1, 0], 2048), ("VP8L", [0x2E, 0x8F, 0x01, 0x4B, 0x00], nil),
        ("VP8 ", [0, 0, 0, 0x9D, 1, 0x2B, 0x90, 1, 0x2D, 1], nil), ("ALPH", [0, 0, 0, 0, 0xFF, 7, 0, 0x2C, 1, 0], nil),
    ])
    func `a WebP picture's size is read from its first chunk`(chunk: String, content: [UInt8], width: Int?) throws {
        let file = Array("RIFF\0\0\0\0WEBP\(chunk)".utf8) + [UInt8(content.count), 0, 0, 0] + content
        let header = try? ImageHeader.check(file: ByteSlice(Bytes(file), 0..<file.count))
        #expect(header?.width == width && header?.height == width.map { _ in 301 })
        #expect(header.map { $0.format == .webp } ?? true)
    }

    @Test(arguments: [(300, 300, true), (299, 300, false), (300, 299, false), (65_535, 300, true), (0, 300, false)])
    func `a picture needs at least 300 pixels on each side`(width: Int, height: Int, isAllowed: Bool) async throws {
        let files = [
            Samples.png(width: width, height: height), Samples.jpeg(width: width, height: height),
            Samples.jpeg(width: width, height: height, segments: [2, 65_535, 3] + Array(repeating: 60_000, count: 20)),
        ]
        for file in files {
            let message = await problem(Samples.base64(file))
            #expect(message.contains("\(width) x \(height) pixels") != isAllowed)
            let block = Bytes(file)
            let header = try? ImageHeader.check(file: ByteSlice(block, 0..<block.count))
            #expect((header != nil) == isAllowed)
        }
    }

    @Test(arguments: [(10_485_760, true), (10_485_761, false)])
    func `a picture may have at most 10,485,760 bytes`(count: Int, isAllowed: Bool) async {
        let file = Samples.png(tail: 0) + [UInt8](repeating: 7, count: count - 24)
        let message = await problem(Samples.base64(file))
        #expect(message == (isAllowed ? "accepted" : "human_image " + ImageHeader.Problem.length(count).description))
    }

    @Test(
        arguments: [
            [0xFF, 0xD8, 0xFF, 0xE0, 0, 1, 0, 0], [0xFF, 0xD8, 0xFF, 0xDA, 0, 4, 0, 0], [0xFF, 0xD8, 0xFF, 0xD9],
            [0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 1, 1, 5, 5, 5], [0xFF, 0xD8, 0xFF, 0xC0, 0, 17, 8, 0, 0, 1, 44],
            Array(repeating: [0xFF, 0xD8, 0xFF], count: 1).flatMap { $0 } + Array(repeating: 0xFF, count: 5000),
        ] as [[UInt8]])
    func `a broken JPEG header is refused`(file: [UInt8]) async {
        #expect(await problem(Samples.base64(file)).contains("header is broken"))
    }

    @Test func `stray bytes between segments are skipped, up to a limit`() async {
        let file = Samples.jpeg()
        let frame = file.count - 20 - 10
        for (stray, isAllowed) in [([1, 2, 0xFF, 0, 3] as [UInt8], true), ([UInt8](repeating: 7, count: 5000), false)] {
            let message = await problem(Samples.base64(Array(file[..<frame]) + stray + file[frame...]))
            #expect((message == "accepted") == isAllowed, "\(message)")
        }
    }

    @Test func `the error for Xcode's own PNG names the setting to change`() async {
        let file = Samples.png()
        let packed = file[..<8] + [0, 0, 0, 4] + Array("CgBI".utf8) + [0x50, 0, 0x20, 2, 0, 0, 0, 0] + file[8...]
        #expect(await problem(Samples.base64(Array(packed))).contains("set \"Compress PNG Files\" to No"))
    }

    @Test func `a few bytes of a base64 file can be decoded alone`() async throws {
        for count in 8...20 {
            let bytes = Samples.noise(count)
            let file = try await Base64File.read(ByteSlice(copying: Samples.base64(bytes)))
            for index in 0...count - 8 {
                let expected = bytes[index..<index + 8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                #expect(file.number(at: index) == expected)
            }
            #expect(file.number(at: count - 7) == nil && file.number(at: -1) == nil)
        }
    }

    @Test func `a frame header behind too many segments is not searched for`() async {
        let file = Samples.jpeg(segments: Array(repeating: 4, count: 600))
        #expect(await problem(Samples.base64(file)).contains("header is broken"))
    }

    @Test(arguments: 0...20)
    func `base64 agrees with Foundation`(count: Int) throws {
        let bytes = Samples.noise(count)
        let text = Data(bytes).base64EncodedString()
        #expect(Base64.encode(bytes) == text)
        #expect(Base64.decode(text.utf8) == bytes)
        let block = try #require(Base64.encode(Bytes(bytes)))
        #expect(joined([ByteSlice(block, 0..<block.count)]) == Array(text.utf8))
        #expect(Base64.decode(Base64.encode(bytes, .urlSafe).utf8, .urlSafe) == bytes)
    }

    @Test(arguments: ["A", "AB", "AB=", "QR==", "QUJ=", "AB==C", "A+B/", "AB-_"])
    func `base64 that is not canonical is refused`(text: String) {
        let isURLSafe = ["AB-_"].contains(text)
        #expect((Base64.decode(text.utf8, .urlSafe) != nil) == isURLSafe)
        #expect((Base64.decode(text.utf8) != nil) == (text == "A+B/"))
    }

    @Test(arguments: [0, 1, 2, 3, 299, 30_000])
    func `base64 in any spelling is decoded without changing the text`(_ count: Int) async throws {
        let file = [0xFB, 0xFF, 0xFE] + (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) }
        let text = Base64.encode(file)
        let spellings = [
            text, "data:image/png;base64," + text, text.replacing("/", with: "\\/"),
            text.replacing("+", with: "\\u002B"),
            Base64.encode(file, .urlSafe), text.replacing("A", with: "\\r\\n A"),
        ]
        for spelling in spellings {
            let given = ByteSlice(copying: spelling)
            let read = try await Base64File.read(given)
            #expect(read.count == file.count)
            #expect(try #require(read.decoded()).withUnsafeBytes { Array($0) } == file)
            #expect(given.withUnsafeBytes { Array($0) } == Array(spelling.utf8))
        }
        for wrong in ["", "data:image/png,abc", "A", "ab=c!", "ftp://a/b"] {
            await #expect(throws: Base64File.Problem.self) { try await Base64File.read(ByteSlice(copying: wrong)) }
        }
    }
}
