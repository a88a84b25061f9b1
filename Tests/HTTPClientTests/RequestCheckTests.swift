import Testing

@testable import HTTPClient

struct RequestCheckTests {
    @Test(
        arguments: [
            ("X-A", "b", "X-A: b"), ("x", "", "x;"), ("X", " ", "X:  "), ("X", "a\tb", "X: a\tb"),
            ("X", "é", "X: é"), ("X", "a;b:c", "X: a;b:c"), ("!#$%&'*+-.^_`|~09azAZ", "1", "!#$%&'*+-.^_`|~09azAZ: 1"),
            ("", "1", nil), ("X A", "1", nil), ("X:", "1", nil), ("X;", "1", nil), ("X\r\nY", "1", nil),
            ("X\0", "1", nil), ("É", "1", nil), ("(X)", "1", nil), ("X\"", "1", nil), ("X", "a\r\nY: b", nil),
            ("X", "a\r", nil), ("X", "a\n", nil), ("X", "\0", nil), ("X", "\u{1F}", nil), ("X", "\u{7F}", nil),
        ] as [(String, String, String?)])
    func `a header line is made of a token and a value without control characters`(
        name: String, value: String, line: String?
    ) {
        #expect(HTTPClientRequest.line(name, value) == line)
    }

    @Test func `a URL may contain visible ASCII only`() {
        for byte in UInt8.min...UInt8.max {
            let url = "http://a/" + String(UnicodeScalar(byte))
            #expect((HTTPClientRequest(.get, url).flaw == nil) == (0x21...0x7E).contains(byte), "\(byte)")
        }
    }
}
