public import Base
public import HTTPServer

/// Serves the operators' listener: `/healthz`, `/readyz` and `/metrics`, for GET and HEAD.
///
/// The two probes answer everyone, and only say whether things work. Everything else needs `Authorization: Bearer` with
/// the token. If no token is configured, it is served only to peers on this machine (loopback or a Unix-domain socket).
/// Behind a proxy on this machine every client is such a peer, so set a token there.
public struct AdminResponder: HTTPResponder {
    private let access: AdminAccess
    private let readiness: Readiness
    private let metrics: Metrics
    private let sources: MetricsSources

    /// Creates the responder of the operators' listener.
    /// - Parameters:
    ///   - token: the token that `/metrics` requires; `nil` if there is none.
    ///   - hosts: the listener's own addresses, without ports and brackets.
    ///   - readiness: what `/readyz` reports.
    ///   - metrics: what `/metrics` shows.
    ///   - sources: the figures that it shows besides those.
    public init(
        token: Secret?, hosts: Set<String> = [], readiness: Readiness, metrics: Metrics, sources: MetricsSources
    ) {
        access = AdminAccess(token: token, hosts: hosts)
        self.readiness = readiness
        self.metrics = metrics
        self.sources = sources
    }

    public func respond(to request: HTTPRequest) async -> HTTPResponse {
        await answer(to: request).named(RequestID.of(request.headers))
    }

    private func answer(to request: HTTPRequest) async -> HTTPResponse {
        if request.head.path == "*" { return HTTPResponse(status: 200, headers: [("Allow", "GET, HEAD, OPTIONS")]) }
        let (authorization, authority) = (request.headers.values(of: "authorization"), request.head.authority)
        switch AdminRoute.choose(
            method: request.method, path: request.head.path,
            access: { access.verdict(authorization: authorization, authority: authority, peer: request.peer) })
        {
        case .failure(let refusal): return .json(refusal)
        case .success(.alive): return .plain("ok\n")
        case .success(.ready): return .readiness(await readiness.report())
        case .success(.metrics):
            return HTTPResponse(
                status: 200, headers: Self.headers(ExpositionWriter.mediaType),
                body: .bytes(metrics.exposition(of: sources)))
        }
    }

    public func response(to rejection: HTTPRejection) -> HTTPResponse {
        .json(AdminRefusal(status: rejection.status, message: rejection.message)).named(RequestID.of(rejection))
    }

    fileprivate static func headers(_ mediaType: String) -> [(name: String, value: String)] {
        [("Content-Type", mediaType), ("Cache-Control", "no-store")]
    }
}

/// The routes of the operators' listener.
enum AdminRoute: String, CaseIterable {
    case alive = "/healthz"
    case ready = "/readyz"
    case metrics = "/metrics"

    private var isOpen: Bool { self != .metrics }

    /// Finds a request's route, or why it is refused. A client without access doesn't learn which routes exist.
    static func choose(
        method: HTTPMethod, path: String, access: () -> AdminAccess.Verdict
    ) -> Result<AdminRoute, AdminRefusal> {
        let route = AdminRoute(rawValue: path)
        if route?.isOpen != true {
            switch access() {
            case .allowed: break
            case .unauthorized: return .failure(.unauthorized)
            case .forbidden: return .failure(.forbidden)
            case .misdirected: return .failure(.misdirected)
            }
        }
        guard let route else { return .failure(.notFound) }
        return method == .get || method == .head ? .success(route) : .failure(.wrongMethod)
    }
}

/// Why the operators' listener refuses a request.
struct AdminRefusal: Error, Equatable {
    var status: Int
    var message: String
    var header: Header?

    /// A header field that belongs to the status.
    enum Header: String {
        case challenge = "WWW-Authenticate"
        case allow = "Allow"

        var value: String { self == .challenge ? "Bearer" : "GET, HEAD" }
    }

    static let unauthorized = AdminRefusal(
        status: 401, message: "This needs the admin token as a bearer token.", header: .challenge)
    static let forbidden = AdminRefusal(
        status: 403, message: "This is only served to the same machine, because no admin token is configured.")
    static let misdirected = AdminRefusal(
        status: 421,
        message: "Without an admin token in the configuration, this is answered only under localhost, a loopback "
            + "address or the configured listen address.")
    static let notFound = AdminRefusal(status: 404, message: "There is nothing here.")
    static let wrongMethod = AdminRefusal(status: 405, message: "Only GET and HEAD work here.", header: .allow)
}

extension HTTPResponse {
    fileprivate static func plain(_ text: String) -> HTTPResponse {
        HTTPResponse(status: 200, headers: AdminResponder.headers("text/plain"), body: .bytes(Array(text.utf8)))
    }

    /// The response with the id of its request.
    fileprivate func named(_ requestID: String) -> HTTPResponse {
        var response = self
        response.headers.append((name: "X-Request-Id", value: requestID))
        return response
    }

    /// The report as JSON. The names of the checks are fixed in the code and need no escaping.
    static func readiness(_ report: HealthReport) -> HTTPResponse {
        let checks = report.outcomes.map { "\"\($0.name)\":\"\($0.outcome.rawValue)\"" }.joined(separator: ",")
        let text = "{\"ready\":\(report.isReady),\"checks\":{\(checks)}}\n"
        return HTTPResponse(
            status: report.isReady ? 200 : 503, headers: AdminResponder.headers("application/json"),
            body: .bytes(Array(text.utf8)))
    }

    /// A refusal as JSON. Its message is one of the gateway's own texts, without quotes or control characters.
    fileprivate static func json(_ refusal: AdminRefusal) -> HTTPResponse {
        let header = refusal.header.map { [(name: $0.rawValue, value: $0.value)] } ?? []
        return HTTPResponse(
            status: refusal.status, headers: AdminResponder.headers("application/json") + header,
            body: .bytes(Array("{\"error\":\"\(refusal.message)\",\"code\":\(refusal.status)}\n".utf8)))
    }
}
