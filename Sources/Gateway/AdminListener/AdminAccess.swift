internal import Base
internal import EventLoop

/// Decides who may use the operators' listener, apart from its probes.
struct AdminAccess: Sendable {
    /// How a request has shown that it may.
    enum Proof: String {
        case token
        /// The cookie of a signed-in console.
        case console
        /// It comes from this machine, and no token is configured.
        case machine
    }

    enum Verdict: Equatable {
        case allowed(Proof)
        /// A token is configured, and the request doesn't present it.
        case unauthorized
        /// No token is configured, and the peer is not on this machine.
        case forbidden
        /// No token is configured, and the request names a host other than this machine.
        case misdirected
    }

    private let token: [UInt8]?
    private let hosts: Set<String>
    /// The consoles that have signed in.
    let sessions = AdminSessions()

    /// - Parameters:
    ///   - token: `nil` admits only peers on this machine. An empty token admits no one.
    ///   - hosts: the listener's own addresses, without ports and brackets. Without a token, requests may name them as
    ///     well as loopback addresses and `localhost`.
    init(token: Secret?, hosts: Set<String> = []) {
        self.token = token.map { Array($0.reveal().utf8) }
        self.hosts = hosts
    }

    /// Judges a request.
    /// - Parameters:
    ///   - authorization: the values of its `Authorization` fields. If there are none, a session counts.
    ///   - cookies: the values of its `Cookie` fields.
    ///   - authority: its `Host`. A page in a browser on this machine can make a name of its own site resolve to this
    ///     machine (DNS rebinding) and would then read the answer, but it can't send another name.
    func verdict(
        authorization: [String], cookies: [String] = [], authority: String, peer: SocketAddress
    ) -> Verdict {
        guard token != nil else {
            guard peer.isOnThisMachine else { return .forbidden }
            return peer.port == nil || isOwn(authority) ? .allowed(.machine) : .misdirected
        }
        if authorization.isEmpty { return sessions.isOpen(cookies) ? .allowed(.console) : .unauthorized }
        guard authorization.count == 1, let presented = Self.bearerToken(authorization[0]) else { return .unauthorized }
        return isToken(presented) ? .allowed(.token) : .unauthorized
    }

    /// Whether a token is configured.
    var hasToken: Bool { token != nil }

    /// Whether these are the bytes of the configured token.
    func isToken(_ presented: [UInt8]) -> Bool { token.map { Self.isEqual(presented, $0) } ?? false }

    private func isOwn(_ authority: String) -> Bool {
        let host = Self.host(of: authority)
        if host == "localhost" || hosts.contains(host) { return true }
        return SocketAddress(host.contains(":") ? "[\(host)]:0" : "\(host):0")?.isOnThisMachine ?? false
    }

    /// An authority without its port and brackets, in lower case.
    private static func host(of authority: String) -> String {
        let text = authority.lowercased()
        if text.hasPrefix("[") { return String(text.dropFirst().prefix { $0 != "]" }) }
        return String(text.prefix { $0 != ":" })
    }

    /// The token of `Bearer <token>`; the scheme in any case (RFC 9110 §11.1).
    private static func bearerToken(_ value: String) -> [UInt8]? {
        let scheme = "bearer "
        guard value.utf8.count > scheme.utf8.count, value.prefix(scheme.count).lowercased() == scheme else {
            return nil
        }
        return Array(value.dropFirst(scheme.count).drop { $0 == " " }.utf8)
    }

    /// Compares in a time that depends only on the length of `presented`, not on the secret or on how much of it matches.
    static func isEqual(_ presented: [UInt8], _ secret: [UInt8]) -> Bool {
        if secret.isEmpty { return false }
        var difference = presented.count ^ secret.count
        var place = 0
        for byte in presented {
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
