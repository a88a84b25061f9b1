import Base
import EventLoop
import HTTPServer
import Testing

@testable import Gateway

struct AdminAccessTests {
    private let here = SocketAddress.ipv4(address: 0x7f00_0001, port: 1)
    private let elsewhere = SocketAddress.ipv4(address: 0x0a00_0001, port: 1)

    private func status(
        _ path: String, _ method: HTTPMethod = .get, token: String?, authorization: [String] = [],
        from peer: SocketAddress, host: String = "localhost:9090"
    ) -> Int {
        let access = AdminAccess(token: token.map(Secret.init), hosts: ["192.0.2.7", "2001:db8::7"])
        let place = AdminPath(path)
        if !place.isOpen {
            switch access.verdict(authorization: authorization, authority: host, peer: peer) {
            case .allowed: break
            case .unauthorized: return 401
            case .forbidden: return 403
            case .misdirected: return 421
            }
        }
        do throws(AdminError) {
            try place.check(method)
            return 200
        } catch {
            return error.status
        }
    }

    @Test(arguments: ["/healthz", "/readyz"])
    func `probes need no token`(path: String) {
        #expect(status(path, token: "t", from: elsewhere) == 200)
        #expect(status(path, .head, token: nil, from: elsewhere) == 200)
        #expect(status(path, .post, token: nil, from: elsewhere) == 405)
    }

    @Test(arguments: [
        (["Bearer t0ken"], 200), (["bearer t0ken"], 200), (["BEARER  t0ken"], 200), ([], 401), (["Bearer"], 401),
        (["Bearer "], 401), (["Bearer t0ke"], 401), (["Bearer t0kent0ken"], 401), (["Bearer T0ken"], 401),
        (["Basic t0ken"], 401), (["t0ken"], 401), (["Bearer t0ken", "Bearer t0ken"], 401),
    ])
    func `metrics need the token, even from this machine`(authorization: [String], expected: Int) {
        for peer in [here, elsewhere] {
            #expect(status("/metrics", token: "t0ken", authorization: authorization, from: peer) == expected)
        }
    }

    @Test(arguments: ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1", "unix:/x"])
    func `without a token, metrics are served to this machine`(peer: String) throws {
        #expect(status("/metrics", token: nil, from: try #require(SocketAddress(peer))) == 200)
    }

    @Test(arguments: ["10.0.0.1:1", "128.0.0.1:1", "[::2]:1", "[::ffff:10.0.0.1]:1"])
    func `without a token, metrics are refused to other machines`(peer: String) throws {
        #expect(status("/metrics", token: nil, from: try #require(SocketAddress(peer))) == 403)
    }

    @Test(arguments: [
        ("localhost", 200), ("LocalHost:9090", 200), ("127.0.0.1", 200), ("127.9.9.9:1", 200), ("[::1]", 200),
        ("[::1]:9090", 200), ("[::ffff:127.0.0.1]:1", 200), ("192.0.2.7:9090", 200), ("[2001:DB8::7]:9090", 200),
        ("evil.example", 421), ("evil.example:9090", 421), ("localhost.evil.example", 421), ("127.0.0.1.nip.io", 421),
        ("localhost.", 421), ("192.0.2.8", 421), ("[::2]", 421), ("0.0.0.0", 421), ("", 421),
    ])
    func `without a token, only this machine's own host names are accepted`(host: String, expected: Int) {
        for path in ["/metrics", "/nowhere"] {
            let found = expected == 200 && path == "/nowhere" ? 404 : expected
            #expect(status(path, token: nil, from: here, host: host) == found)
        }
        #expect(status("/healthz", token: nil, from: here, host: host) == 200)
        #expect(status("/metrics", token: "t", authorization: ["Bearer t"], from: here, host: host) == 200)
        #expect(status("/metrics", token: nil, from: .unix(path: ""), host: host) == 200)
    }

    @Test func `an unauthorized client does not learn which paths exist`() {
        #expect(status("/nowhere", token: "t", from: here) == 401)
        #expect(status("/nowhere", token: nil, from: elsewhere) == 403)
        #expect(status("/nowhere", token: nil, from: here) == 404)
        #expect(status("/metrics", .delete, token: nil, from: here) == 405)
    }

    @Test func `a session counts if no token is sent, until it is signed out of or has ended`() {
        let access = AdminAccess(token: Secret("t0ken"))
        func verdict(_ cookies: [String], _ authorization: [String] = []) -> AdminAccess.Verdict {
            access.verdict(authorization: authorization, cookies: cookies, authority: "ops.example", peer: elsewhere)
        }
        let value = access.sessions.open()
        let cookie = ["theme=dark; \(AdminSessions.cookie)=\(value)"]
        #expect(!value.contains("t0ken"))
        #expect(verdict(cookie) == .allowed(.console))
        #expect(verdict(cookie, ["Bearer wrong"]) == .unauthorized)
        let parts = value.split(separator: ".")
        for forged in [
            "", "\(parts[0]).\(parts[1])", "\(parts[0]).99999999999.\(parts[2])", AdminSessions().open(),
            "1.\(parts[1]).\(parts[2])",
        ] {
            #expect(verdict(["\(AdminSessions.cookie)=\(forged)"]) == .unauthorized, "\(forged)")
        }
        let old = access.sessions.open(at: WallClock.milliseconds - AdminSessions.duration * 1000)
        #expect(verdict(["\(AdminSessions.cookie)=\(old)"]) == .unauthorized)
        access.sessions.close(cookie)
        #expect(verdict(cookie) == .unauthorized)
        #expect(verdict(["\(AdminSessions.cookie)=\(access.sessions.open())"]) == .allowed(.console))
    }

    @Test func `an empty token admits no client`() {
        #expect(status("/metrics", token: "", authorization: ["Bearer "], from: here) == 401)
        #expect(!AdminAccess.isEqual([], []))
    }
}
