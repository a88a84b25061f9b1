internal import Glibc

/// The address of a socket or of its peer: IPv4, IPv6 or a path in the file system.
public enum SocketAddress: Hashable, Sendable {
    /// `address` in network order as a number (127.0.0.1 is `0x7f000001`).
    case ipv4(address: UInt32, port: UInt16)
    /// `address` in network order as a number; `scope` is the interface of a link-local address, else 0.
    case ipv6(address: UInt128, port: UInt16, scope: UInt32 = 0)
    /// A Unix-domain socket; the path is empty for a peer that is not bound.
    case unix(path: String)

    /// Parses `127.0.0.1:8080`, `[::1]:8080`, `:8080` (all IPv6 and IPv4 addresses), or `unix:/path`. Host names are
    /// not resolved: anything else gives `nil`.
    public init?(_ text: String) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst("unix:".count))
            guard !path.isEmpty, path.utf8.count < Self.longestPath, !path.utf8.contains(0) else { return nil }
            self = .unix(path: path)
            return
        }
        guard let colon = text.lastIndex(of: ":"), let port = Self.port(text[text.index(after: colon)...]) else {
            return nil
        }
        let host = text[..<colon]
        if host.isEmpty {
            self = .ipv6(address: 0, port: port)
        } else if host.hasPrefix("["), host.hasSuffix("]") {
            guard let address = Self.ipv6(String(host.dropFirst().dropLast())) else { return nil }
            self = .ipv6(address: address, port: port)
        } else {
            guard let address = Self.ipv4(String(host)) else { return nil }
            self = .ipv4(address: address, port: port)
        }
    }

    /// The TCP port; `nil` for a path.
    public var port: UInt16? {
        switch self {
        case .ipv4(_, let port), .ipv6(_, let port, _): port
        case .unix: nil
        }
    }

    /// The address without its port, for counting and logging. An IPv4 address inside IPv6 gives the IPv4 address; a
    /// path gives `unix:` and the path.
    public var host: String {
        switch self {
        case .ipv4(let address, _): Self.text(ipv4: address)
        case .ipv6(let address, _, _): Self.text(ipv6: address)
        case .unix(let path): "unix:\(path)"
        }
    }

    /// The same host without a port, and IPv4 inside IPv6 as IPv4: a key for counting connections per address.
    public var withoutPort: SocketAddress {
        switch self {
        case .ipv4(let address, _): .ipv4(address: address, port: 0)
        case .ipv6(let address, _, _) where address >> 32 == 0xffff:
            .ipv4(address: UInt32(truncatingIfNeeded: address), port: 0)
        case .ipv6(let address, _, let scope): .ipv6(address: address, port: 0, scope: scope)
        case .unix: self
        }
    }

    private static let longestPath = 108

    private static func port(_ text: Substring) -> UInt16? {
        guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return UInt16(text)
    }

    private static func ipv4(_ text: String) -> UInt32? {
        var address = in_addr()
        guard unsafe inet_pton(AF_INET, text, &address) == 1 else { return nil }
        return UInt32(bigEndian: address.s_addr)
    }

    private static func ipv6(_ text: String) -> UInt128? {
        var address: UInt128 = 0
        guard unsafe inet_pton(AF_INET6, text, &address) == 1 else { return nil }
        return UInt128(bigEndian: address)
    }

    private static func text(ipv4 address: UInt32) -> String {
        [24, 16, 8, 0].map { String((address >> $0) & 0xff) }.joined(separator: ".")
    }

    private static func text(ipv6 address: UInt128) -> String {
        if address >> 32 == 0xffff { return text(ipv4: UInt32(truncatingIfNeeded: address)) }
        var bytes = address.bigEndian
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        unsafe inet_ntop(AF_INET6, &bytes, &text, socklen_t(text.count))
        return unsafe text.withUnsafeBufferPointer { unsafe String(cString: $0.baseAddress.unsafelyUnwrapped) }
    }
}

extension SocketAddress: CustomStringConvertible {
    public var description: String {
        switch self {
        case .ipv4(let address, let port): "\(Self.text(ipv4: address)):\(port)"
        case .ipv6(let address, let port, _): "[\(Self.text(ipv6: address))]:\(port)"
        case .unix: host
        }
    }
}
