internal import Base
internal import HTTPServer
internal import Hashing
internal import KlingAPI
internal import TaskStore

/// The checks of a request that names a route and a method of it, in order: key, address, body, `Idempotency-Key`,
/// rate. The first check that fails determines the answer. Usable from any loop.
struct Admission: Sendable {
    let access: Access
    private let limiter = RateLimiter()
    private let trustedProxies: [CIDR]
    private let bodyLimit: Int
    /// The memory budget for bodies, including those of answers.
    private let budget: ByteBudget
    private let store: any TaskStore
    private let clock: GuardedClock
    private let resends: Resends?

    /// - Parameters:
    ///   - trustedProxies: proxies whose `X-Forwarded-For` is trusted.
    ///   - bodyLimit: the maximum size of a body, in bytes.
    ///   - resends: creates whose answers were not read; nil: none are remembered.
    init(
        _ access: Access, trustedProxies: [CIDR], bodyLimit: Int, budget: ByteBudget, store: any TaskStore,
        clock: GuardedClock, resends: Resends?
    ) {
        (self.access, self.trustedProxies, self.bodyLimit) = (access, trustedProxies, bodyLimit)
        (self.budget, self.store, self.clock, self.resends) = (budget, store, clock, resends)
    }

    /// Admits a request.
    func admit(
        _ request: HTTPRequest, _ match: RouteMatch, _ note: ExchangeNote
    ) async throws(GatewayError) -> AdmittedRequest {
        let principal: Principal
        if let known = access.knownPrincipal(of: request) {
            principal = known
        } else {
            principal = try await access.principal(of: request)
        }
        try check(request, principal, note)
        var idempotent: IdempotentRequest?
        if request.method == .post {
            try checkBody(of: request, match.rules.body)
            if let key = try IdempotentRequest.key(in: request.headers) {
                idempotent = try await lookUp(key, of: request, principal, note)
            }
        }
        // Repeating an answer counts against no limit.
        let rate = idempotent?.known == nil ? try await count(principal) : []
        return AdmittedRequest(
            request, match, principal, idempotent: idempotent, rate: rate, note, budget: budget, resends: resends)
    }

    /// Finds the owner of a request's key, and checks that the key may be used from the client's address.
    func authenticate(_ request: HTTPRequest, _ note: ExchangeNote) async throws(GatewayError) {
        try check(request, try await access.principal(of: request), note)
    }

    /// Finds the answer to a request whose key is known, without suspending.
    /// - Parameter find: returns the answer for a tenant, if it is available at once.
    /// - Returns: the answer and the header fields about the key's rate; nil if ``admit(_:_:_:)`` has to find them.
    func admitAtOnce<Found>(
        _ request: HTTPRequest, _ note: ExchangeNote, find: (_ tenant: String) -> Found?
    ) throws(GatewayError) -> (found: Found, rate: RateHeaders)? {
        guard let principal = access.knownPrincipal(of: request), let found = find(principal.tenant) else { return nil }
        // A rate that is counted in the store takes a moment.
        if store.rates != nil, principal.hasRate { return nil }
        try check(request, principal, note)
        return (found, try headers(limiter.take(principal)))
    }

    /// The header fields for the answer to a request that was admitted and then refused. If it is refused because of
    /// its `Idempotency-Key`, it was not counted yet. It is counted now, because it does not repeat an answer.
    func rate(
        of admitted: AdmittedRequest, refusedWith error: GatewayError
    ) async throws(GatewayError) -> RateHeaders {
        switch error.cause {
        case .idempotencyMismatch, .idempotencyOpen: try await count(admitted.principal)
        default: admitted.rate
        }
    }

    // MARK: The checks

    private func check(
        _ request: HTTPRequest, _ principal: Principal, _ note: ExchangeNote
    ) throws(GatewayError) {
        note.tenant = principal.tenant
        try principal.check(ClientAddress(of: request, trusted: trustedProxies))
    }

    /// Checks a body before it is read.
    private func checkBody(of request: HTTPRequest, _ kind: RouteRules.Body) throws(GatewayError) {
        let length = request.body.declaredLength
        if length == 0, !request.headers.contains("Content-Length") {
            throw GatewayError(.lengthRequired, "The request has no body. Send JSON, with a Content-Length or chunked.")
        }
        if let length, length > bodyLimit { throw GatewayError(RequestBodyError.tooLarge(limit: bodyLimit)) }
        let codings = request.headers.values(of: "Content-Encoding")
        if codings.contains(where: { !$0.isEmpty && $0.lowercased() != "identity" }) {
            var error = GatewayError(
                .unsupportedMediaType,
                "The body is compressed, as Content-Encoding says. Send it uncompressed and without Content-Encoding.")
            error.headers = [(name: "Accept-Encoding", value: "identity")]
            throw error
        }
        if request.headers.hasValue(of: "Content-Type", startingWith: "multipart/") {
            try kind.check(request.headers.values(of: "Content-Type"))
        }
    }

    /// Looks up a request's `Idempotency-Key`. If the first request with the key has lost its client, waits for its
    /// outcome: a library that automatically resends the request needs an answer, not a 409.
    private func lookUp(
        _ key: String, of request: HTTPRequest, _ principal: Principal, _ note: ExchangeNote
    ) async throws(GatewayError) -> IdempotentRequest {
        if let resends {
            let content = ContentDigest(of: "\(IdempotentRequest.header) \(key)")
            let ticket = ResendTicket(ResendKey(tenant: principal.tenant, content: content), of: request, resends)
            try await ticket.enter(request)
            note.resend = ticket
        }
        let idempotent = try await IdempotentRequest(
            key, tenant: principal.tenant, in: store, believed: clock.believed)
        // The first request has made nothing, and the key is free.
        if idempotent.known == nil, note.resend?.earlier != nil { try note.resend?.startOver() }
        return idempotent
    }

    /// Counts a request, and returns the header fields that say what is left.
    private func count(_ principal: Principal) async throws(GatewayError) -> RateHeaders {
        guard principal.hasRate, let rates = store.rates else { return try headers(limiter.take(principal)) }
        let decision: RateDecision?
        do {
            decision = try await limiter.take(principal, in: rates)
        } catch {
            throw GatewayError(error)
        }
        return try headers(decision)
    }

    private func headers(_ decision: RateDecision?) throws(GatewayError) -> RateHeaders {
        guard let decision else { return [] }
        if decision.isAdmitted { return decision.headers }
        var error = GatewayError(
            .requestRate,
            "\(decision.owner.name) may make \(decision.limit) requests a minute. Wait \(decision.retryAfter) s.")
        error.retryAfter = decision.retryAfter
        error.headers = decision.headers
        throw error
    }
}

/// Header fields that say how many requests a key may still make.
typealias RateHeaders = [(name: String, value: String)]
