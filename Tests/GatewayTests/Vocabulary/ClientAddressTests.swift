import Base
import EventLoop
import Testing

@testable import Gateway

struct ClientAddressTests {
    private static let trusted = ["10.0.0.0/8", "127.0.0.1", "fd00::/8"].compactMap { CIDR($0) }

    private func client(_ peer: String, _ forwarded: [String]) throws -> String? {
        let peer = try #require(SocketAddress(peer))
        return ClientAddress(peer: peer, forwarded: forwarded, trusted: Self.trusted).address?.description
    }

    @Test(
        arguments: [
            // The peer is not a trusted proxy, so its header is ignored.
            ("192.0.2.1:5", ["198.51.100.7"], "192.0.2.1"),
            ("[2001:db8::1]:5", ["10.0.0.1"], "2001:db8::1"),
            // Named by a trusted proxy.
            ("10.0.0.1:5", [], "10.0.0.1"),
            ("10.0.0.1:5", ["198.51.100.7"], "198.51.100.7"),
            ("[fd00::1]:5", ["2001:db8::7"], "2001:db8::7"),
            ("[::ffff:10.0.0.1]:5", ["198.51.100.7"], "198.51.100.7"),
            // Behind several proxies: from the right, up to the first address that is not one of them.
            ("10.0.0.1:5", ["198.51.100.7, 10.0.0.9 ,10.0.0.8"], "198.51.100.7"),
            ("10.0.0.1:5", ["203.0.113.5, 198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1:5", ["10.0.0.7, 198.51.100.7", "10.0.0.8"], "198.51.100.7"),
            ("10.0.0.1:5", ["garbage, 198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1:5", ["10.0.0.7,10.0.0.8"], "10.0.0.7"),
            // Other notations.
            ("10.0.0.1:5", ["198.51.100.7:4711"], "198.51.100.7"),
            ("10.0.0.1:5", ["[2001:db8::7]:4711"], "2001:db8::7"),
            ("10.0.0.1:5", ["[2001:db8::7]"], "2001:db8::7"),
            ("10.0.0.1:5", ["\t198.51.100.7 "], "198.51.100.7"),
            ("10.0.0.1:5", ["::ffff:198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1:5", ["198.51.100.7, ::ffff:10.0.0.2"], "198.51.100.7"),
            // A trusted proxy that doesn't name the client, and a peer without an address.
            ("10.0.0.1:5", ["unknown"], nil),
            ("10.0.0.1:5", ["198.51.100.7, "], nil),
            ("10.0.0.1:5", ["198.51.100.7, _hidden"], nil),
            ("10.0.0.1:5", ["198.51.100.007"], nil),
            ("unix:/run/gateway.sock", ["198.51.100.7"], nil),
        ] as [(String, [String], String?)])
    func `the client is the nearest address that is not a trusted proxy's`(
        _ peer: String, _ forwarded: [String], _ expected: String?
    ) throws {
        #expect(try client(peer, forwarded) == expected)
    }
}
