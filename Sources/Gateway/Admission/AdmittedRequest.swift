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
    let note: ExchangeNote
    /// The memory budget for bodies, including those of answers.
    let budget: ByteBudget

    init(
        _ request: HTTPRequest, _ match: RouteMatch, _ principal: Principal, idempotent: IdempotentRequest?,
        _ note: ExchangeNote, _ budget: ByteBudget
    ) {
        (self.request, self.match, self.principal, self.idempotent) = (request, match, principal, idempotent)
        (self.note, self.budget) = (note, budget)
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

    /// Registers a create without an `Idempotency-Key` among those that are remembered until their answers are read.
    /// - Returns: nil if it has a key, or if creates are not remembered.
    func resend(of content: RequestContent, _ resends: Resends?) async throws(GatewayError) -> ResendTicket? {
        guard idempotent == nil, let resends else { return nil }
        let key = ResendKey(tenant: tenant, content: content.digest)
        let ticket = try await ResendTicket(key, of: request, resends)
        note.resend = ticket
        return ticket
    }

    /// Whether the request repeats an earlier one, by its `Idempotency-Key` and its content.
    func repetition(of content: RequestContent) async throws(GatewayError) -> Repetition {
        guard let idempotent else { return .none }
        let fingerprint = await content.sha256
        if let answer = try idempotent.replay(fingerprint) {
            return .answered(Answer.repeated(answer, requestID: note.requestID))
        }
        return .first(idempotent.claim(fingerprint))
    }

    enum Repetition {
        /// The request has no key.
        case none
        /// The request is the first with its key, which is claimed together with the task's record.
        case first(IdempotencyKey)
        /// The request was answered before.
        case answered(HTTPResponse)
    }
}

/// Answers the requests of one ``Shape``.
protocol ShapeHandler: Sendable {
    /// Answers a request whose route, method, key and rate were checked, and whose body is unread.
    func answer(_ admitted: AdmittedRequest) async throws(GatewayError) -> HTTPResponse
}
