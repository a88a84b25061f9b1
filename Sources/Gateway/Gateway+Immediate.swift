public import HTTPServer
internal import KlingAPI

/// The cheapest queries: clients poll, and most of the answers are known already.
extension Gateway {
    /// Answers the query of a task that has ended and is in memory, under a known key, without starting a Swift task.
    /// Every other request goes through ``respond(to:)``, which makes the same checks and more.
    public func immediateResponse(to request: HTTPRequest) -> HTTPResponse? {
        guard request.method == .get || request.method == .head,
            let match = request.head.withPath({ RouteMatch(path: $0) }), match.route == .tryOnTask,
            let principal = access.knownPrincipal(of: request),
            let json = tasks.queries.finished(match.identifier, tenant: principal.tenant)
        else { return nil }
        let note = ExchangeNote(requestID: RequestID.of(request.headers))
        (note.route, note.shape, note.tenant) = (match.route, match.terms.shape, principal.tenant)
        var response: HTTPResponse
        do {
            try principal.scope.check(ClientAddress(of: request, trusted: options.trustedProxies))
            let limits = try limiter.admitted(principal)
            let body = Envelope.success(requestID: note.requestID, data: json)
            response = Answer.success(body, requestID: note.requestID)
            response.headers.append(contentsOf: limits)
        } catch {
            note.cause = error.cause
            response = ErrorAnswer.response(to: error, shape: note.shape, requestID: note.requestID)
        }
        crossOrigin?.mark(&response, for: request.headers)
        response.note = note
        return response
    }
}
