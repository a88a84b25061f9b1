internal import Base
internal import EventLoop

/// Who may read what the operators' listener serves beside its probes.
struct AdminAccess: Sendable {
    enum Verdict {
        case allowed
        /// There is a token and the request does not show it.
        case unauthorized
        /// There is no token and the peer is not on this machine.
        case forbidden
    }

    private let token: [UInt8]?

    /// - Parameter token: `nil` lets in peers on this machine alone. An empty one lets in nobody.
    init(token: Secret?) { self.token = token.map { Array($0.reveal().utf8) } }

    /// Judges a request.
    /// - Parameter authorization: the values of its `Authorization` fields.
    func verdict(authorization: [String], peer: SocketAddress) -> Verdict {
        guard let token else { return peer.isOnThisMachine ? .allowed : .forbidden }
        guard authorization.count == 1, let shown = Self.bearerToken(authorization[0]) else { return .unauthorized }
        return Self.isEqual(shown, token) ? .allowed : .unauthorized
    }

    /// The token of `Bearer <token>`; the scheme in any case (RFC 9110 §11.1).
    private static func bearerToken(_ value: String) -> [UInt8]? {
        let scheme = "bearer "
        guard value.utf8.count > scheme.utf8.count, value.prefix(scheme.count).lowercased() == scheme else {
            return nil
        }
        return Array(value.dropFirst(scheme.count).drop { $0 == " " }.utf8)
    }

    /// Compares in a time that depends on what was shown, and not on the secret or how much of it was right.
    static func isEqual(_ shown: [UInt8], _ secret: [UInt8]) -> Bool {
        if secret.isEmpty { return false }
        var difference = shown.count ^ secret.count
        var place = 0
        for byte in shown {
            difference |= Int(byte ^ secret[place])
            place = place + 1 == secret.count ? 0 : place + 1
        }
        return difference == 0
    }
}

extension SocketAddress {
    /// Whether the peer is a process on this machine: a loopback address or a Unix-domain socket.
    var isOnThisMachine: Bool {
        switch withoutPort {
        case .ipv4(let address, _): address >> 24 == 127
        case .ipv6(let address, _, _): address == 1
        case .unix: true
        }
    }
}
