import Base
import Testing

@testable import Gateway

struct FormDataTests {
    private static let type = "multipart/form-data; boundary=B"

    private func parse(_ body: String, _ type: String = type) async throws(FormError) -> FormData {
        try await FormData.parse(Bytes(body.utf8), contentType: type)
    }

    private func failure(_ body: String, _ type: String = type) async -> FormError? {
        do {
            _ = try await parse(body, type)
            return nil
        } catch {
            return error
        }
    }

    /// A form with one part, which has this head.
    private static func form(_ head: String, _ content: String = "x") -> String {
        "--B\r\n\(head)\r\n\r\n\(content)\r\n--B--\r\n"
    }

    private func bytes(_ slice: ByteSlice) -> [UInt8] { unsafe slice.withUnsafeBytes { unsafe Array($0) } }

    @Test func `fields and files keep their order and exact content`() async throws {
        let body =
            "--B\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\n\r\n"
            + "--B\r\ncontent-type: image/png\r\ncontent-disposition: form-data; name=\"image[]\"; filename=\"a.png\"\r\n"
            + "\r\n\r\n\r\n--b\r\n-B\r\n--B \t\r\nX-Other: 1\r\nContent-Disposition: form-data; name=n\r\n\r\n2\r\n--B--"
        let form = try await parse(body)
        #expect(form.parts.map(\.name) == ["prompt", "image[]", "n"])
        #expect(form.parts.map(\.isFile) == [false, true, false])
        #expect(try form.parts.map { try $0.text() } == ["", "\r\n\r\n--b\r\n-B", "2"])
    }

    @Test func `a file field without a file name and content is an empty text`() async throws {
        for (name, content, isFile) in [("", "", false), ("", "x", true), ("a.png", "", true)] {
            let head = "Content-Disposition: form-data; name=f; filename=\"\(name)\"\r\nContent-Type: image/png"
            let part = try #require(try await parse(Self.form(head, content)).parts.first)
            #expect((part.isFile, try part.text()) == (isFile, content))
        }
    }

    @Test(arguments: ["", "\r\n", "junk\r\n", "--Bx\r\n", "-\r\n--B--x\r\n"])
    func `a preamble and an epilogue are ignored`(preamble: String) async throws {
        let form = try await parse(preamble + Self.form("Content-Disposition: form-data; name=a") + "\r\n--B\r\njunk")
        #expect(form.parts.map(\.name) == ["a"])
    }

    @Test(arguments: ["\r\n--BB\r\n", "\r\n--B-\r\n", "\n--B\r\n", "\r--B\r\n", "--B\r\n", "\r\n--B-- x", "\r\n--B\rx"])
    func `text that only resembles a delimiter is content`(content: String) async throws {
        let form = try await parse(Self.form("Content-Disposition: form-data; name=a", "1\(content)2"))
        #expect(try form.parts.map { try $0.text() } == ["1\(content)2"])
    }

    @Test(arguments: [0, 1, 1 << 20, (1 << 20) + 1, 3_000_000])
    func `a file of any size is read whole`(count: Int) async throws {
        let file = [UInt8](repeating: 0x0D, count: count)
        let head = Array("--B\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\n".utf8)
        let body = Bytes(head + file + Array("\r\n--B--\r\n".utf8))
        let form = try await FormData.parse(body, contentType: Self.type)
        #expect(form.parts.first.map { bytes($0.content) } == file)
    }

    @Test(arguments: [
        "multipart/form-data; boundary=\"B\"", "Multipart/Form-Data;boundary=B", "multipart/form-data; x=y; BOUNDARY=B",
    ])
    func `the boundary may be quoted and in any place`(type: String) async throws {
        #expect(try await parse(Self.form("Content-Disposition: form-data; name=a"), type).parts.count == 1)
    }

    @Test(arguments: [
        "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\"\"",
        "multipart/form-data; boundary=B; boundary=C", "multipart/form-data; boundary=\"B",
        "multipart/form-data boundary=B",
        "multipart/form-data; boundary=\"B \"", "multipart/form-data; boundary=B{", "multipart/mixed; boundary=B",
        "multipart/form-data; boundary=" + String(repeating: "B", count: 71), "multipart/form-data; boundary = B",
        "multipart/form-data; boundary=\"B\"x", "",
    ])
    func `a content type without exactly one valid boundary is refused`(type: String) async {
        #expect(
            await failure(Self.form("Content-Disposition: form-data; name=a"), type)?.message.contains("oundary")
                == true)
    }

    @Test(arguments: [
        ("form-data; name=\"a b\"", "a b"), (#"form-data; name="a\"b\\c""#, #"a"b\c"#),
        (#"form-data; name="C:\d""#, #"C:\d"#),
        ("form-data; name=\"a;b=c\"; x=1", "a;b=c"), ("form-data ;name=a;", "a"),
        ("form-data; name=\"\u{E9}\"", "\u{E9}"),
        ("FORM-DATA; NAME=a", "a"), ("form-data; filename=\"name=b\"; name=a", "a"),
        ("form-data; name=\"a%22b\"", "a%22b"),
    ])
    func `names are read as browsers and curl write them`(value: String, name: String) async throws {
        #expect(try await parse(Self.form("Content-Disposition: \(value)")).parts.map(\.name) == [name])
    }

    @Test(arguments: ["filename=f", "filename=\"\"", "filename*=UTF-8''na%20me.png", "filename=f; filename*=UTF-8''f"])
    func `a part with a file name in any form is a file`(parameter: String) async throws {
        let form = try await parse(Self.form("Content-Disposition: form-data; name=a; \(parameter)"))
        #expect(form.parts.map(\.isFile) == [true])
    }

    @Test(arguments: [
        "Content-Type: text/plain", "Content-Disposition: form-data", "Content-Disposition: form-data; name",
        "Content-Disposition: form-data; name=", "Content-Disposition: form-data; name=\"\"",
        "Content-Disposition: form-data; name=\"a", "Content-Disposition: form-data; name=\"a\"b",
        "Content-Disposition: form-data; name=a; name=b", "Content-Disposition: form-data; name=a; NAME=a",
        "Content-Disposition: attachment; name=a", "Content-Disposition: form-data; name*=UTF-8''a",
        "Content-Disposition: form-data; name=a; name*=UTF-8''b", "Content-Disposition: form-data, name=a",
        "Content-Disposition: form-data; name=a; filename=a; filename=b", "Content-Disposition: ; name=a",
        "Content-Disposition: form-data; name=\"" + String(repeating: "a", count: 257) + "\"",
        "Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b",
        "Content-Disposition: form-data;\r\n name=a", " Content-Disposition: form-data; name=a",
        "Content-Disposition : form-data; name=a", "Content-Disposition", ": x",
        "Content-Disposition: form-data; name=\"a\r\nX: \"", "Content-Disposition: form-data; name=\"a\nb\"",
        "Content-Disposition: form-data; name=\"a\u{0}b\"", "Content-Disposition: form-data; name=a\n",
        "Content-Disposition: form-data; name=a\rX: y", "X: " + String(repeating: "a", count: 5000),
        String(repeating: "X: y\r\n", count: 2) + "Content-Disposition: form-data; name=a",
    ])
    func `a part without exactly one valid name is refused, and the error gives its number`(head: String) async {
        let error = await failure(Self.form(head))
        #expect(error?.message.hasPrefix("Part 1 of the form") == true)
    }

    @Test(arguments: [
        "Content-Type: multipart/mixed; boundary=C", "Content-Transfer-Encoding: base64",
        "Content-Transfer-Encoding: quoted-printable", "Content-Type: text/plain; charset=utf-16",
    ])
    func `encodings and nested parts are refused, naming the part`(field: String) async {
        let error = await failure(Self.form("Content-Disposition: form-data; name=a\r\n\(field)"))
        #expect(error?.part == "a")
    }

    @Test(arguments: [
        "Content-Type: text/plain; charset=UTF-8", "Content-Type: text/plain;charset=\"us-ascii\"",
        "Content-Transfer-Encoding: 8bit", "Content-Transfer-Encoding: binary", "Content-Length: 1",
        "Content-Length: 7\r\nContent-Type: image/jpeg", "Content-Type:", "Content-Type: ;", "Content-Type: jpeg, png",
    ])
    func `header fields that change nothing are accepted`(field: String) async throws {
        #expect(try await parse(Self.form("Content-Disposition: form-data; name=a\r\n\(field)")).parts.count == 1)
    }

    @Test(arguments: [#"a"b.jpg"#, #"C:\photos\"#, #"a\"b.jpg"#, #"a", b"#])
    func `a file name may have quotes and backslashes that are not escaped`(fileName: String) async throws {
        for parameters in ["name=a; filename=\"\(fileName)\"", "filename=\"\(fileName)\"; name=a"] {
            let form = try await parse(Self.form("Content-Disposition: form-data; \(parameters)"))
            #expect(form.parts.map(\.name) == ["a"] && form.parts[0].isFile)
        }
    }

    @Test(arguments: [
        "", "image/jpeg", "application/octet-stream", "text/plain; charset=ISO-8859-1", "text/plain;charset=x",
    ])
    func `a part that begins like a picture is a file without a file name, too`(type: String) async throws {
        let starts: [[UInt8]] = [
            [0xFF, 0xD8, 0xFF, 0xE0], [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], Array("RIFFabcdWEBPVP8 ".utf8),
            Array("GIF89a\u{1}\u{0}".utf8),
        ]
        for start in starts {
            let head = "--B\r\nContent-Disposition: form-data; name=f\r\nContent-Type: \(type)\r\n\r\n"
            let body = Bytes(Array(head.utf8) + start + Array("\r\n--B--".utf8))
            let part = try #require(try await FormData.parse(body, contentType: Self.type).parts.first)
            #expect(part.isFile && bytes(part.content) == start)
        }
    }

    @Test(
        arguments: [
            ("ISO-8859-1", [0xE9, 0x41], "\u{E9}A"), ("\"windows-1252\"", [0x80, 0x93], "\u{20AC}\u{201C}"),
            ("utf-8", [0xC3, 0xA9], "\u{E9}"), ("US-ASCII", [0x41], "A"),
        ] as [(String, [UInt8], String)])
    func `a text is read in the character set of its label`(label: String, content: [UInt8], text: String) async throws
    {
        let head = "--B\r\nContent-Disposition: form-data; name=f\r\nContent-Type: text/plain; charset=\(label)\r\n\r\n"
        let body = Bytes(Array(head.utf8) + content + Array("\r\n--B--".utf8))
        let form = try await FormData.parse(body, contentType: Self.type)
        #expect(try form.parts.map { try $0.text() } == [text])
    }

    @Test func `a name or a text that is not UTF-8 is refused`() async throws {
        let head = Array("--B\r\nContent-Disposition: form-data; name=\"".utf8)
        let named = Bytes(head + [0xFF] + Array("\"\r\n\r\nx\r\n--B--".utf8))
        await #expect(throws: FormError.self) { try await FormData.parse(named, contentType: Self.type) }
        let text = Bytes(head + Array("a\"\r\n\r\n".utf8) + [0xC3, 0x28] + Array("\r\n--B--".utf8))
        let part = try #require(try await FormData.parse(text, contentType: Self.type).parts.first)
        #expect(throws: FormError("a is not a text in UTF-8.", part: "a")) { try part.text() }
    }

    @Test func `a form that is cut off anywhere is refused`() async {
        let body = Array(Self.form("Content-Disposition: form-data; name=a").utf8.dropLast(2))
        for count in 0..<body.count {
            let cut = Bytes(body.prefix(count))
            await #expect(throws: FormError.self) { try await FormData.parse(cut, contentType: Self.type) }
        }
    }

    @Test func `a form may have from 0 to 64 parts`() async throws {
        #expect(try await parse("--B--").parts.isEmpty)
        let part = "--B\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n"
        #expect(try await parse(String(repeating: part, count: 64) + "--B--").parts.count == 64)
        #expect(
            await failure(String(repeating: part, count: 65) + "--B--")?.message == "The form has more than 64 parts.")
    }

    @Test func `a randomly damaged form is read or refused`() async {
        let valid = Array(
            Self.form("Content-Disposition: form-data; name=\"a\"; filename=\"b\"\r\nContent-Type: image/png").utf8)
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            var body = valid
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                body[Int.random(in: 0..<body.count)] = [13, 10, 34, 45, 59, 92, 0, 66].randomElement() ?? 0
            }
            let form = try? await FormData.parse(Bytes(body), contentType: Self.type)
            for part in form?.parts ?? [] { #expect(part.content.range.upperBound <= body.count) }
        }
    }
}
