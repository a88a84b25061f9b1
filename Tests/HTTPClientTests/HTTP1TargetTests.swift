import Base
import Testing

@testable import HTTPClient

struct HTTP1TargetTests {
    @Test(arguments: [
        ("http://example.com", "example.com", 80, "/", "example.com"),
        ("HTTP://Example.COM:80/a/b?c=d&e#f", "example.com", 80, "/a/b?c=d&e", "Example.COM"),
        ("https://example.com.:8443/", "example.com", 8443, "/", "example.com.:8443"),
        ("https://example.com:443", "example.com", 443, "/", "example.com"),
        ("http://2130706433/x", "127.0.0.1", 80, "/x", "127.0.0.1"),
        ("http://[2001:DB8::1]:81/", "2001:db8::1", 81, "/", "[2001:db8::1]:81"),
    ])
    func `a URL is taken apart as libcurl does`(url: String, host: String, port: UInt16, path: String, field: String)
        throws
    {
        let target = try #require(HTTP1Target(url))
        #expect(target.origin.host == host)
        #expect(target.origin.port == port)
        #expect(target.origin.isSecure == url.hasPrefix("https"))
        let line = String(decoding: target.line, as: UTF8.self)
        #expect(line.lowercased() == " \(path) HTTP/1.1\r\nHost: \(field)\r\n".lowercased())
    }

    @Test(arguments: [
        "", "/x", "example.com", "ftp://example.com/", "http://", "http://a b/", "http://user@example.com/",
        "http://user:word@example.com/", "http://[fe80::1%25eth0]/", "http://example.com:0/",
        "http://example.com:99999/",
        "http://exämple.com/", "http://127.0.0.1/\r\nX: y", "http://example.com../",
    ])
    func `other URLs are left to libcurl`(url: String) {
        #expect(HTTP1Target(url) == nil)
    }

    @Test func `a route is found again, and destinations are shared by host, port and authorities`() {
        var routes = HTTP1Routes()
        let one = routes.route("http://a.test/1", caFile: nil)?.destination
        let same = routes.route("http://A.test:80/2", caFile: nil)?.destination
        let others = [
            routes.route("https://a.test/1", caFile: nil), routes.route("http://a.test/1", caFile: "ca.pem"),
            routes.route("http://b.test/1", caFile: nil),
        ]
        #expect(one != nil && same === one)
        for other in others { #expect(other != nil && other?.destination !== one) }
        let nonsense = routes.route("nonsense", caFile: nil)
        #expect(nonsense == nil)
    }

    @Test func `a destination is released when the calls that waited for it have ended`() throws {
        weak var released: Destination?
        try {
            let target = try #require(HTTP1Target("http://a.test/"))
            let destination = Destination(target.origin)
            released = destination
            let calls = (0..<3).map { _ in
                HTTP1Call(
                    HTTPClientRequest(.get, "http://a.test/"), route: .init(target: target, destination: destination))
            }
            for (number, call) in calls.enumerated() { destination.wait(call, ticket: UInt64(number)) }
            #expect(destination.takeWaiting() === calls[0])
            for call in calls.reversed() {
                let isWaiting = if case .waiting = call.stage { call !== calls[0] } else { false }
                _ = call.end(.failure(.noMemory))
                if isWaiting { destination.waitingCallEnded() }
            }
            #expect(destination.isUnused)
        }()
        #expect(released == nil)
    }

    @Test func `many routes do not make a destination with connections forgotten`() {
        var routes = HTTP1Routes()
        let kept = routes.route("http://kept.test/", caFile: nil)?.destination
        kept?.connections = 1
        for number in 0..<2000 { _ = routes.route("http://host\(number).test/", caFile: nil) }
        let again = routes.route("http://kept.test/", caFile: nil)?.destination
        #expect(kept != nil && again === kept)
        #expect(routes.destinations.count <= 257)
    }
}
