/// What a client may send, well-meaning or not, and what must come back (RFC 9110, RFC 9112).
struct HostileCase: Sendable {
    let name: String
    let bytes: [UInt8]
    let statuses: [Int]
    /// Whether the server closes the connection. If not, it must answer another request on it.
    let closes: Bool
    /// What the last answer's body must contain.
    let contains: String

    init(_ name: String, _ text: String, _ statuses: [Int], closes: Bool = true, contains: String = "") {
        self.name = name
        bytes = Array(text.utf8)
        self.statuses = statuses
        self.closes = closes
        self.contains = contains
    }

    /// A request that is refused with 400.
    static func bad(_ name: String, _ text: String) -> HostileCase { HostileCase(name, text, [400]) }

    /// A request that is served and leaves the connection usable.
    static func good(_ name: String, _ text: String, contains: String = "") -> HostileCase {
        HostileCase(name, text, [200], closes: false, contains: contains)
    }

    /// A GET with a bad header line.
    static func badField(_ name: String, _ line: String) -> HostileCase {
        bad(name, "GET / HTTP/1.1\r\nHost: a\r\n\(line)\r\n\r\n")
    }

    /// A POST with a bad chunked body.
    static func badChunks(_ name: String, _ body: String) -> HostileCase { bad(name, chunked(body)) }

    static func chunked(_ body: String) -> String {
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\(body)"
    }

    static let all = heads + stars + lengths + codings + chunks + ahead + sizes + expectations + methods + connections
    static let next = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n"

    static let heads: [HostileCase] = [
        badField("1 space before the colon", "Content-Length : 2"),
        badField("2 folded line", "X: a\r\n b"),
        badField("2 folded line with a tab", "X: a\r\n\tb"),
        bad("3 white space before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
        bad("4 no Host", "GET / HTTP/1.1\r\n\r\n"),
        badField("4 two Hosts", "Host: a"),
        bad("4 Host a/b", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
        bad("4 Host with user info", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
        bad("4 empty Host", "GET / HTTP/1.1\r\nHost: \r\n\r\n"),
        bad("4 Host with a bad port", "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n"),
        good("4 Host with brackets", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", contains: "authority=[::1]:80"),
        good(
            "5 absolute-form wins", "GET http://b:1/x?y HTTP/1.1\r\nHost: a\r\n\r\n",
            contains: "path=/x query=y authority=b:1"),
        good("5 absolute-form without a path", "GET http://b HTTP/1.1\r\nHost: a\r\n\r\n", contains: "path=/ "),
        bad("5 absolute-form with user info", "GET http://u@b/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        bad("5 another scheme", "GET ftp://b/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        badField("6 bare CR in a value", "X: a\rb"),
        badField("6 bare CR before CR LF", "X: a\r"),
        bad("6 bare CR in the request line", "GET /\r HTTP/1.1\r\nHost: a\r\n\r\n"),
        bad("7 bare LF", "GET / HTTP/1.1\nHost: a\n\n"),
        bad("7 bare LF in the header", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"),
        badField("8 NUL in a value", "X: a\u{0}b"),
        badField("8 control in a value", "X: a\u{1}b"),
        badField("8 DEL in a value", "X: a\u{7f}b"),
        good("8 tab and bytes above ASCII", "GET / HTTP/1.1\r\nHost: a\r\nX: a\tü\r\n\r\n"),
        badField("9 name that is not a token", "X(A): b"),
        badField("9 empty name", ": b"),
        badField("9 no colon", "nocolon"),
        good(
            "10 underscore is not a dash", "GET / HTTP/1.1\r\nHost: a\r\nContent_Length: 5\r\n\r\n",
            contains: "length=0"),
        bad("43 NUL in the target", "GET /a\u{0} HTTP/1.1\r\nHost: a\r\n\r\n"),
        bad("43 fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"),
        bad("43 bad escape", "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n"),
        bad("43 cut escape", "GET /%2 HTTP/1.1\r\nHost: a\r\n\r\n"),
        bad("43 bytes above ASCII in the target", "GET /ü HTTP/1.1\r\nHost: a\r\n\r\n"),
        bad("43 space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"),
        good(
            "43 paths come through raw", "GET //a/%2e%2e;x HTTP/1.1\r\nHost: a\r\n\r\n", contains: "path=//a/%2e%2e;x"),
        bad("two spaces in the request line", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
        bad("two spaces before the version", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n"),
        bad("target without a slash", "GET a HTTP/1.1\r\nHost: a\r\n\r\n"),
        good("one CR LF before the request", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        bad("two CR LF before the request", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        bad("TLS hello", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}"),
    ]

    static let stars: [HostileCase] =
        [
            good("asterisk-form", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", contains: "path=* query=- authority=a"),
            bad("asterisk-form without Host", "OPTIONS * HTTP/1.1\r\n\r\n"),
        ]
        + ["GET *", "POST *", "TRACE *", "OPTIONS **", "OPTIONS */", "OPTIONS *?a", "OPTIONS *#a"].map {
            line in
            bad("asterisk-form: \(line)", "\(line) HTTP/1.1\r\nHost: a\r\n\r\n")
        }

    static let lengths: [HostileCase] =
        [
            "+2", "-1", "-0", "0x2", "1_0", "", "2, 2", "2, 3", "2 2", "1e3", "9223372036854775808",
            "99999999999999999999999",
        ].map { value in
            bad("11-13 Content-Length '\(value)'", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(value)\r\n\r\nab")
        } + [
            bad("12 two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nab"),
            bad(
                "13 the same length twice",
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab"),
            bad(
                "14 Content-Length and Transfer-Encoding",
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            good("leading zeros", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 002\r\n\r\nab", contains: "body=2:ab"),
        ]

    static let codings: [HostileCase] =
        [
            ("15 chunked not last", "chunked, gzip", 400), ("16 unknown coding", "gzip", 501),
            ("16 another coding before", "gzip, chunked", 501), ("18 xchunked", "xchunked", 501),
            ("18 quoted", "\"chunked\"", 400), ("18 vertical tab", "\u{b}chunked", 400),
            ("18 chunked twice in a list", "chunked, chunked", 400), ("18 empty", "", 400),
            ("18 empty member", ", chunked", 400), ("18 parameter", "chunked;a=b", 400),
            ("18 identity", "identity", 501),
        ].map { name, value, status in
            HostileCase(
                name, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \(value)\r\n\r\n0\r\n\r\n\(next)", [status])
        } + [
            bad(
                "17 Transfer-Encoding in HTTP/1.0",
                "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            bad(
                "18 Transfer-Encoding twice",
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            ),
            good(
                "chunked in capitals", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n",
                contains: "body=0"),
        ]

    static let chunks: [HostileCase] =
        ["0x2", "0_2", "+2", "-2", " 2", "", "2 ", "2 junk", "10000000000000002", "ffffffffffffffff", "g"].map { size in
            badChunks("19 chunk size '\(size)'", "\(size)\r\nab\r\n0\r\n\r\n")
        } + [
            badChunks("20 data longer than its size", "2\r\nabc\r\n0\r\n\r\n"),
            badChunks("20 data shorter than its size", "4\r\nab\r\n0\r\n\r\n"),
            badChunks("20 LF after the size", "2\nab\r\n0\r\n\r\n"),
            badChunks("20 LF after the data", "2\r\nab\n0\r\n\r\n"),
            badChunks("20 LF in an extension", "2;a\nb\r\nab\r\n0\r\n\r\n"),
            badChunks("20 CR in an extension", "2;a\rb\r\nab\r\n0\r\n\r\n"),
            badChunks("20 LF after the last size", "2\r\nab\r\n0\n\r\n"),
            badChunks("21 extension of 64 KiB", "2;" + String(repeating: "a", count: 65536) + "\r\nab\r\n0\r\n\r\n"),
            badChunks(
                "21 an extension for each byte",
                String(repeating: "1;" + String(repeating: "a", count: 4096) + "\r\nx\r\n", count: 4) + "0\r\n\r\n"),
            good(
                "22 trailers are dropped",
                chunked("2;x=\"y\"\r\nab\r\n0\r\nAuthorization: evil\r\nContent-Length: 9\r\nHost: b\r\n\r\n"),
                contains: "authority=a auth=- length=-1 body=2:ab"),
            badChunks("22 folded trailer", "0\r\nX: a\r\n b\r\n\r\n"),
            badChunks("22 trailer without a colon", "0\r\nnocolon\r\n\r\n"),
            badChunks("22 trailers without end", "0\r\nX: " + String(repeating: "a", count: 65536) + "\r\n\r\n"),
            good(
                "chunks are put together", chunked("2\r\nab\r\n00a\r\n0123456789\r\n0\r\n\r\n"),
                contains: "body=12:ab0123456789"),
            HostileCase(
                "32 a request behind chunks", chunked("1\r\na\r\n0\r\n\r\n") + next, [200, 200], closes: false,
                contains: "path=/next"),
        ]

    /// Bodies that the method gives no meaning: they are read and checked before anything is answered.
    static let ahead: [HostileCase] =
        chunks.filter { $0.statuses == [400] }.flatMap { item in
            [("GET", "/"), ("GET", "/unread"), ("GET", "/at-once"), ("DELETE", "/")].map { method, path in
                let text = String(decoding: item.bytes, as: UTF8.self)
                return bad("\(method) \(path) with \(item.name)", method + " " + path + text.dropFirst("POST /".count))
            }
        } + [
            good("GET with chunks", get("Transfer-Encoding: chunked") + "2\r\nab\r\n0\r\n\r\n", contains: "body=2:ab"),
            HostileCase(
                "a request behind a GET's chunks",
                get("Transfer-Encoding: chunked", "/at-once") + "1\r\na\r\n0\r\nX: y\r\n\r\n" + next, [200, 200],
                closes: false, contains: "path=/next"),
            HostileCase(
                "a refused GET's chunks", get("Transfer-Encoding: chunked", "/unread") + "1\r\na\r\n0\r\n\r\n", [401],
                closes: false),
            good("GET with 64 KiB", get("Content-Length: 65536") + letters(65536), contains: "body=65536"),
            HostileCase("GET with more", get("Content-Length: 65537") + letters(65537), [413]),
            HostileCase("GET with more in chunks", get("Transfer-Encoding: chunked") + "10001\r\n", [413]),
            HostileCase("GET with more, refused", get("Content-Length: 65537", "/unread") + letters(65537), [413]),
            HostileCase(
                "GET with a body that is asked for",
                get("Content-Length: 2\r\nExpect: 100-continue\r\nConnection: close"), [100]),
        ]

    private static func get(_ line: String, _ path: String = "/") -> String {
        "GET \(path) HTTP/1.1\r\nHost: a\r\n\(line)\r\n\r\n"
    }

    private static func letters(_ count: Int) -> String { String(repeating: "x", count: count) }

    static let sizes: [HostileCase] = [
        HostileCase(
            "23 target of 10 KB", "GET /" + String(repeating: "a", count: 10_000) + " HTTP/1.1\r\nHost: a\r\n\r\n",
            [414]),
        HostileCase(
            "23 target of 200 KB", "GET /" + String(repeating: "a", count: 200_000) + " HTTP/1.1\r\nHost: a\r\n\r\n",
            [414]),
        HostileCase(
            "24 field of 100 KB",
            "GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "a", count: 100_000) + "\r\n\r\n", [431]),
        HostileCase(
            "24 201 fields", "GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "a:b\r\n", count: 200) + "\r\n", [431]),
        good("24 200 fields", "GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "a:b\r\n", count: 199) + "\r\n"),
        HostileCase(
            "24 2,000 fields", "GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "a:b\r\n", count: 2000) + "\r\n",
            [431]),
        HostileCase(
            "25 Content-Length over the limit", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n", [413]),
        HostileCase("25 chunk over the limit", chunked("100001\r\n"), [413]),
        HostileCase(
            "25 chunks over the limit",
            chunked(
                String(repeating: "40000\r\n" + String(repeating: "x", count: 0x40000) + "\r\n", count: 4)
                    + "1\r\nx\r\n"),
            [413]),
        good(
            "25 chunks up to the limit",
            chunked(
                String(repeating: "40000\r\n" + String(repeating: "x", count: 0x40000) + "\r\n", count: 4) + "0\r\n\r\n"
            ),
            contains: "body=1048576"),
    ]

    static let expectations: [HostileCase] = [
        HostileCase(
            "26 100-continue, wanted",
            "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n",
            [100]),
        HostileCase(
            "26 100-continue, refused",
            "POST /unread HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n", [401]),
        HostileCase(
            "26 100-continue, too large",
            "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1048577\r\n\r\n", [413]),
        good("26 100-continue without a body", "GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n"),
        HostileCase(
            "26 100-continue in HTTP/1.0",
            "POST / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab", [200]),
        HostileCase(
            "27 unknown expectation", "POST / HTTP/1.1\r\nHost: a\r\nExpect: foo\r\nContent-Length: 2\r\n\r\nab", [417]),
    ]

    static let methods: [HostileCase] = [
        HostileCase("29 wrong method", "DELETE /method HTTP/1.1\r\nHost: a\r\n\r\n", [405], closes: false),
        HostileCase("29 unknown method", "FOOBAR / HTTP/1.1\r\nHost: a\r\n\r\n", [501]),
        HostileCase("29 small letters", "get / HTTP/1.1\r\nHost: a\r\n\r\n", [501]),
        HostileCase("29 endless method", String(repeating: "A", count: 100), [501]),
        HostileCase("30 TRACE", "TRACE /method HTTP/1.1\r\nHost: a\r\nAuthorization: s\r\n\r\n", [405], closes: false),
        bad("30 CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"),
        HostileCase("31 HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", [505]),
        HostileCase("31 HTTP/0.9", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", [505]),
        HostileCase("31 HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [505]),
        bad("31 http/1.1", "GET / http/1.1\r\nHost: a\r\n\r\n"),
        bad("31 HTTP/1.10", "GET / HTTP/1.10\r\nHost: a\r\n\r\n"),
        bad("31 no version", "GET /\r\n"),
        good("31 HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n"),
    ]

    static let connections: [HostileCase] = [
        HostileCase("32 pipelined", next + next, [200, 200], closes: false, contains: "path=/next"),
        HostileCase("32 good, bad, good", next + "GET / HTTP/1.1\r\n\r\n" + next, [200, 400]),
        HostileCase(
            "33 GET with a body", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: \(next.utf8.count)\r\n\r\n" + next,
            [200], closes: false,
            contains: "body=\(next.utf8.count)"),
        HostileCase(
            "33 a body that is not read",
            "POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: \(next.utf8.count)\r\n\r\n" + next, [401],
            closes: false),
        HostileCase(
            "33 a long body that is not read",
            "POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n"
                + String(repeating: "x", count: 300_000),
            [401]),
        HostileCase("41 close among others", "GET / HTTP/1.1\r\nHost: a\r\nConnection: te, Close\r\n\r\n", [200]),
        good(
            "41 other options", "GET / HTTP/1.1\r\nHost: a\r\nConnection: authorization, x-foo\r\nUpgrade: h2c\r\n\r\n"),
        HostileCase("HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", [200]),
        HostileCase("HTTP/1.0 that stays", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", [200], closes: false),
    ]
}
