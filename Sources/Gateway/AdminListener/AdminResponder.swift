public import Base
public import HTTPServer

/// Serves the operators' listener: the probes, the metrics, the administration API and the console.
///
/// The probes answer everyone, and only say whether things work; so do the console's files, which contain no data.
/// Everything else needs `Authorization: Bearer` with the token, or the session of a console that was signed in with it.
/// If no token is configured, it is served only to peers on this machine (loopback or a Unix-domain socket). Behind a
/// proxy on this machine every client is such a peer, so set a token there.
public struct AdminResponder: HTTPResponder {
    private let access: AdminAccess
    private let readiness: Readiness
    private let metrics: Metrics
    private let sources: MetricsSources
    private let api: AdminAPI
    private let version: String

    /// Creates the responder of the operators' listener.
    /// - Parameters:
    ///   - token: the token of operators; `nil` if there is none.
    ///   - hosts: the listener's own addresses, without ports and brackets.
    ///   - readiness: what `/readyz` reports.
    ///   - metrics: what `/metrics` shows.
    ///   - sources: the figures that it shows besides those.
    ///   - api: what answers calls.
    ///   - version: the gateway's version.
    public init(
        token: Secret?, hosts: Set<String> = [], readiness: Readiness, metrics: Metrics, sources: MetricsSources,
        api: AdminAPI, version: String
    ) {
        access = AdminAccess(token: token, hosts: hosts)
        self.readiness = readiness
        self.metrics = metrics
        self.sources = sources
        self.api = api
        self.version = version
    }

    public func respond(to request: HTTPRequest) async -> HTTPResponse {
        let requestID = RequestID.of(request.headers)
        if request.head.path == "*" {
            return HTTPResponse(status: 200, headers: [("Allow", "GET, HEAD, OPTIONS")]).named(requestID)
        }
        do throws(AdminError) {
            return try await answer(to: request).named(requestID)
        } catch {
            return HTTPResponse(error).named(requestID)
        }
    }

    public func response(to rejection: HTTPRejection) -> HTTPResponse {
        HTTPResponse(AdminError(rejection.status, rejection.message)).named(RequestID.of(rejection))
    }

    private func answer(to request: HTTPRequest) async throws(AdminError) -> HTTPResponse {
        let path = AdminPath(request.head.path)
        // A client without access doesn't learn which paths exist.
        let proof = path.isOpen ? nil : try prove(request)
        try path.check(request.method)
        switch path {
        case .alive: return HTTPResponse(text: "ok\n")
        case .ready: return .readiness(await readiness.report())
        case .metrics:
            return HTTPResponse(metrics.exposition(of: sources), mediaType: ExpositionWriter.mediaType)
        case .description: return HTTPResponse(AdminDocument.json(version: version), mediaType: "application/json")
        case .root: return HTTPResponse(status: 302, headers: [(name: "Location", value: "console/")])
        case .console(let name): return try ConsoleFile.answer(to: request, name: name)
        case .session: return try await session(request)
        case .call, .nothing: return try await call(request, proof ?? .machine)
        }
    }

    /// - Throws: 401, 403 or 421.
    private func prove(_ request: HTTPRequest) throws(AdminError) -> AdminAccess.Proof {
        let verdict = access.verdict(
            authorization: request.headers.values(of: "authorization"), cookies: request.headers.values(of: "cookie"),
            authority: request.head.authority, peer: request.peer)
        switch verdict {
        case .allowed(let proof): return proof
        case .unauthorized: throw .unauthorized
        case .forbidden: throw .forbidden
        case .misdirected: throw .misdirected
        }
    }

    private func call(
        _ request: HTTPRequest, _ proof: AdminAccess.Proof
    ) async throws(AdminError) -> HTTPResponse {
        let limit = try api.bodyLimit(request.method, request.head.path)
        try AdminGuard.check(request, proof)
        let call = AdminCall(
            request.method, request.head.path, query: request.head.query,
            body: try await request.adminBody(limit: limit), by: AdminActor(request, proof))
        return HTTPResponse(await api.answer(call))
    }

    // MARK: Sessions

    /// Signs a console in or out.
    private func session(_ request: HTTPRequest) async throws(AdminError) -> HTTPResponse {
        try AdminGuard.checkOrigin(request)
        guard request.method == .post else {
            access.sessions.close(request.headers.values(of: "cookie"))
            return HTTPResponse(status: 204, headers: [request.sessionCookie("", seconds: 0)])
        }
        let token = AdminMember("token", .text(1...AdminMember.longestText), "The admin token.", isRequired: true)
        let body = try await request.adminBody(limit: 64 << 10)
        // Copied within the closure that lends the bytes.
        let json = unsafe body.withUnsafeBytes { unsafe Array($0) }
        let given = try AdminValues(body: json, [token]).text("token") ?? ""
        guard access.hasToken else {
            // Without a token, consoles on this machine need no session.
            _ = try prove(request)
            return HTTPResponse(status: 204)
        }
        guard access.isToken(Array(given.utf8)) else {
            throw AdminError(401, "This is not the admin token.", parameter: "token")
        }
        return HTTPResponse(
            status: 204,
            headers: [request.sessionCookie(access.sessions.open(), seconds: AdminSessions.duration)])
    }
}
