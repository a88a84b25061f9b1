internal import Base
internal import HTTPServer
internal import KlingAPI

/// Finds the URL at which a client reaches the gateway. Links to uploaded pictures begin with it.
final class LinkBase: Sendable {
    private let publicURL: String?
    private let isSecure: Bool
    private let trustedProxies: [CIDR]
    private let hasWarned = Lock(false)

    /// - Parameters:
    ///   - publicURL: the configured URL; nil to use the host that each request names.
    ///   - isSecure: whether clients connect to the gateway itself over TLS.
    ///   - trustedProxies: proxies whose `X-Forwarded-Proto` is trusted.
    init(publicURL: String?, isSecure: Bool, trustedProxies: [CIDR] = []) {
        (self.publicURL, self.isSecure, self.trustedProxies) = (publicURL, isSecure, trustedProxies)
    }

    /// The URLs at which the client of a request can reach the gateway. Links begin with the first.
    func urls(for request: HTTPRequest) -> [String] {
        let authority = request.head.authority
        let own = authority.isEmpty ? [] : ["\(isSecure(request) ? "https" : "http")://\(authority)"]
        return (publicURL.map { [$0] } ?? []) + own
    }

    /// Warns once if links begin with a host that only the proxy in front can reach.
    func check(_ request: HTTPRequest, _ observer: any GatewayObserver) {
        guard publicURL == nil, request.isForwarded(by: trustedProxies),
            let host = (try? HTTPURL("http://" + request.head.authority))?.host,
            host == "localhost" || IPAddress(host).map({ !$0.isPublic }) ?? false,
            hasWarned.withLock({ hasWarned in
                defer { hasWarned = true }
                return !hasWarned
            })
        else { return }
        observer.event(
            .warning, "links to uploaded pictures begin with a host that clients may not reach: set public_url",
            [("host", host)])
    }

    /// Whether the client connects over TLS, to the gateway or to a trusted proxy.
    private func isSecure(_ request: HTTPRequest) -> Bool {
        guard request.isForwarded(by: trustedProxies) else { return isSecure }
        switch request.headers["X-Forwarded-Proto"]?.prefix(while: { $0 != "," }).lowercased() {
        case "https": return true
        case "http": return false
        default: return isSecure
        }
    }
}
