internal import Base
internal import HTTPServer
internal import TaskStore

/// A request that has passed the checks of its head, as the handler of its route gets it.
final class AdmittedRequest: Sendable {
    let request: HTTPRequest
    let match: RouteMatch
    let principal: Principal
    /// Its `Idempotency-Key`, if it is a POST that has one.
    let idempotent: IdempotentRequest?
    /// The header fields that say how many requests the key may still make.
    let rate: RateHeaders
    let note: ExchangeNote
    /// The memory budget for bodies, including those of answers.
    let budget: ByteBudget
    /// Creates whose answers were not read; nil: none are remembered.
    let resends: Resends?

    init(
        _ request: HTTPRequest, _ match: RouteMatch, _ principal: Principal, idempotent: IdempotentRequest?,
        rate: RateHeaders, _ note: ExchangeNote, budget: ByteBudget, resends: Resends?
    ) {
        (self.request, self.match, self.principal, self.idempotent) = (request, match, principal, idempotent)
        (self.rate, self.note, self.budget, self.resends) = (rate, note, budget, resends)
    }

    var tenant: String { principal.tenant }
    /// The decoded last segment of a path that identifies something.
    var identifier: String { match.identifier }

    /// Reads the whole body.
    /// - Parameter headroom: extra memory to reserve for what is made of the body, in percent of its size.
    func body(limit: Int, headroom: Int = 0) async throws(GatewayError) -> Bytes {
        do {
            return try await request.body.collect(limit: limit, owner: tenant, headroom: headroom)
        } catch {
            throw GatewayError(error)
        }
    }

    /// Parses the body as a form if `Content-Type` says that it is one; otherwise returns nil.
    func form(in body: Bytes) async throws(GatewayError) -> FormData? {
        guard let type = request.headers["Content-Type"], type.lowercased().hasPrefix("multipart/") else { return nil }
        do {
            return try await FormData.parse(body, contentType: type)
        } catch {
            throw GatewayError(error)
        }
    }

    /// The request's content, by which a repetition is recognized.
    func content(_ body: Bytes, _ form: FormData? = nil) async -> RequestContent {
        await RequestContent(match.route, body, form)
    }
}

/// Answers the requests of one ``Shape``.
protocol ShapeHandler: Sendable {
    /// Answers a request whose route, method, key and rate were checked, and whose body is unread.
    func answer(_ admitted: AdmittedRequest) async throws(GatewayError) -> HTTPResponse
}
