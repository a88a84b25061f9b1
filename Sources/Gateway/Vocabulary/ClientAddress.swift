internal import Base
internal import EventLoop
internal import HTTPServer

/// Where a request comes from: the other end of its connection or, behind trusted proxies, the client that they name.
///
/// Each proxy appends the address of its caller to `X-Forwarded-For`. What trusted proxies have added is believed.
/// Everything to the left of the first address that isn't such a proxy's is ignored: the client may have made it up.
struct ClientAddress: Sendable, Hashable {
    /// The address; nil behind a Unix-domain socket, or if a trusted proxy's entry has none.
    let address: IPAddress?

    /// Follows the chain from `peer` through `forwarded`.
    /// - Parameters:
    ///   - forwarded: the values of the `X-Forwarded-For` fields, in their order. Read only for a trusted peer.
    ///   - trusted: the addresses of trusted proxies.
    init(peer: SocketAddress, forwarded: @autoclosure () -> [String], trusted: [CIDR]) {
        guard let peer = peer.ipAddress else {
            address = nil
            return
        }
        let isTrusted = { (address: IPAddress) in trusted.contains { $0.contains(address) } }
        var client = peer
        var entries = isTrusted(peer) ? forwarded().flatMap { $0.split(separator: ",") } : []
        while isTrusted(client), let entry = entries.popLast() {
            guard let named = Self.address(in: entry) else {
                address = nil
                return
            }
            client = named
        }
        address = client.unmapped
    }

    /// The address in an entry, which may have a port: `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`,
    /// `[2001:db8::1]:4711`.
    private static func address(in entry: Substring) -> IPAddress? {
        var text = String(entry.drop(while: \.isBlank).reversed().drop(while: \.isBlank).reversed())
        if let end = text.firstIndex(of: "]"), text.first == "[" {
            text = String(text[text.index(after: text.startIndex)..<end])
        } else if let colon = text.firstIndex(of: ":"), text.firstIndex(of: ".").map({ $0 < colon }) ?? false {
            text = String(text[..<colon])
        }
        return IPAddress(text)
    }
}

extension ClientAddress {
    /// Where `request` comes from.
    init(of request: HTTPRequest, trusted: [CIDR]) {
        self.init(peer: request.peer, forwarded: request.headers.values(of: "X-Forwarded-For"), trusted: trusted)
    }
}

extension HTTPRequest {
    /// Whether it comes from one of these proxies.
    func isForwarded(by proxies: [CIDR]) -> Bool {
        peer.ipAddress.map { peer in proxies.contains { $0.contains(peer) } } ?? false
    }
}

extension SocketAddress {
    fileprivate var ipAddress: IPAddress? {
        switch self {
        case .ipv4(let address, _): IPAddress(v4: address)
        case .ipv6(let address, _, _): IPAddress(v6: address)
        case .unix: nil
        }
    }
}

extension Character {
    fileprivate var isBlank: Bool { self == " " || self == "\t" }
}
