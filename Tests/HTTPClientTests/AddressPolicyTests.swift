import Base
import EventLoop
import HTTPClient
import Testing

struct AddressPolicyTests {
    @Test(
        arguments: [
            "127.0.0.1", "2130706433", "0x7f.1", "0x7f000001", "017700000001", "127.1", "localhost", "LOCALHOST",
            "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "127.0.0.1.", "0",
        ], Path.allCases)
    func `no spelling of this machine is connected to`(host: String, path: Path) async throws {
        let server = TestServer.keepAlive { connection, _, _ in connection.answer() }
        try await withClient { client, _ in
            let error = await client.failure(
                .get("http://\(host):\(server.port)/") {
                    $0.version = path.version
                    $0.addressPolicy = .publicInternet()
                })
            #expect(
                error.map { [.addressRefused, .nameLookup, .invalidRequest].contains($0.code) } == true,
                "\(String(describing: error))")
            #expect(error?.wasSent == false)
        }
        #expect(server.connections == 0)
    }

    @Test func `an allowed address is connected to`() async throws {
        let server = TestServer.keepAlive { connection, _, _ in connection.answer() }
        let local = try #require(CIDR("127.0.0.0/8"))
        try await withClient { client, _ in
            for host in ["127.0.0.1", "localhost"] {
                let answer = try await client.execute(
                    .get("http://\(host):\(server.port)/") { $0.addressPolicy = .publicInternet(allowing: [local]) })
                #expect(answer.status == 200)
            }
        }
    }

    @Test(arguments: Path.allCases)
    func `the address of a reused connection is checked again`(path: Path) async throws {
        let server = TestServer.keepAlive { connection, _, _ in connection.answer() }
        try await withClient { client, _ in
            _ = try await client.execute(.get(server.url) { $0.version = path.version })
            let error = await client.failure(
                .post(server.url) {
                    $0.version = path.version
                    $0.addressPolicy = .publicInternet()
                })
            #expect(error?.code == .addressRefused)
            #expect(error?.wasSent == false)
            #expect(await client.statistics().refusedAddresses == 1)
        }
    }

    @Test(
        arguments: [
            ("http://2130706433/", .address), ("http://0x7f.1/", .address), ("http://[::ffff:127.0.0.1]/", .address),
            ("http://127.0.0.1./", .address), ("http://localhost/", nil), ("http://LocalHost.:80/", nil),
            ("http://a.localhost/", nil), ("https://169.254.169.254/latest", .address),
            ("http://017700000001", .address),
            ("http://[::1]:80/", .address), ("http://[fe80::1%25eth0]/", .address), ("http://127.1/", .address),
            ("file:///etc/passwd", .scheme), ("ftp://example.com/", .scheme), ("gopher://example.com/", .scheme),
            ("http://user@example.com/", .userInfo), ("http://user:word@example.com/", .userInfo),
            ("http://example.com/#part", .fragment), ("http://example.com/#", .fragment), ("example.com", .malformed),
            ("/path", .malformed), ("", .malformed), ("http://", .malformed), ("http:///x", .malformed),
            ("http://exa mple.com/", .malformed), ("http://example.com/\r\nX: 1", .malformed),
            ("http://exämple.com/", .malformed),
            ("http://example.com/", nil), ("HTTPS://example.com:8443/a?b=c@d", nil), ("http://8.8.8.8/", nil),
            ("http://[2606:4700::1111]/", nil), ("http://10.1.2.3/", nil), ("http://168430090/", nil),
        ] as [(String, AddressPolicy.Refusal?)])
    func `a URL that can never be allowed is refused in advance`(url: String, refusal: AddressPolicy.Refusal?) throws {
        let policy = AddressPolicy.publicInternet(allowing: [try #require(CIDR("10.0.0.0/8"))])
        #expect(policy.refusal(of: url) == refusal)
    }

    @Test func `the operator may use any address, but not any URL`() {
        #expect(AddressPolicy.any.refusal(of: "http://127.0.0.1/") == nil)
        #expect(AddressPolicy.any.refusal(of: "file:///x") == .scheme)
    }
}
