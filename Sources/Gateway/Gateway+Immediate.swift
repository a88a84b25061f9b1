public import HTTPServer
internal import KlingAPI

/// The queries that cost least: clients poll, and most of what they are told is known already.
extension Gateway {
    /// Answers the query of a task that has ended and that is in memory, under a key that is known, without a task of
    /// its own. Every other request goes through all the checks of ``respond(to:)``, of which these are the same.
    public func immediateResponse(to request: HTTPRequest) -> HTTPResponse? {
        guard request.method == .get || request.method == .head,
            let match = request.head.withPath({ RouteMatch(path: $0) }), match.route == .tryOnTask,
            let principal = access.knownPrincipal(of: request),
            let json = tasks.finished(match.identifier, tenant: principal.tenant)
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
