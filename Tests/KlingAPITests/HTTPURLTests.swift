import KlingAPI
import Testing

struct HTTPURLTests {
    @Test(arguments: [
        ("https://a", "a", 443), ("http://a", "a", 80), ("HTTPS://Shop.Example:8443/x?y=z", "shop.example", 8443),
        ("http://[::1]:80/x", "::1", 80), ("http://[::ffff:127.0.0.1]", "::ffff:127.0.0.1", 80),
        ("http://0x7f.1/", "0x7f.1", 80),
        ("http://2130706433", "2130706433", 80), ("http://a:/x", "a", 80), ("http://a?b@c", "a", 80),
        ("http://a./x", "a.", 80),
    ])
    func `the host is the one that a client would connect to`(text: String, host: String, port: Int) throws {
        let url = try HTTPURL(text)
        #expect(url.text == text)
        #expect(url.host == host && url.port == port)
        #expect(url.isSecure == text.lowercased().hasPrefix("https"))
        #expect(url.isBracketed == text.contains("["))
    }

    @Test(
        arguments: [
            ("", .scheme), ("a.example/x", .scheme), ("//a", .scheme), ("ftp://a", .scheme), ("javascript:1", .scheme),
            ("https:/a", .scheme),
            ("http://", .host), ("http:///x", .host), ("http://:80", .host), ("http://[]", .host),
            ("http://[::1", .host), ("http://[::1]x", .host),
            ("http://[::1%25eth0]/", .host), ("http://a%2eb/", .host), ("http://..", .host), ("http://a,b", .host),
            ("http://a\\@b/", .character),
            ("http://u@a", .userInformation), ("http://u:p@a", .userInformation), ("http://a#", .fragment),
            ("http://a:0", .port),
            ("http://a:65536", .port), ("http://a:8x", .port), ("http://a:80:80", .port), ("http://a b/", .character),
            ("http://é/", .character),
            ("http://a/\u{7F}", .character), ("http://a/\r\nX: y", .character),
            ("http://a/" + String(repeating: "x", count: 2040), .length),
        ] as [(String, HTTPURL.Problem)])
    func `a URL that could be read in two ways is refused`(text: String, problem: HTTPURL.Problem) {
        #expect(throws: problem) { try HTTPURL(text) }
    }

    @Test func `a user name or password is refused with advice, and not repeated`() throws {
        let problem = #expect(throws: HTTPURL.Problem.self) { try HTTPURL("https://user:hunter2@shop.example/hook") }
        let message = "\(try #require(problem))"
        #expect(message.contains("Put a token into the path or the query") && !message.contains("hunter2"))
    }
}
