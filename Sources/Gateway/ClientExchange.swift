internal import EventLoop
internal import HTTPServer
internal import KlingAPI

/// One exchange with a client, from its head to its end: the answer or the refusal, its log line and its metrics.
struct ClientExchange: HTTPExchangeHandler {
    private let gateway: ClientService
    private let note: ExchangeNote

    init(_ gateway: ClientService, _ note: ExchangeNote) { (self.gateway, self.note) = (gateway, note) }

    func respond(to request: HTTPRequest) async -> HTTPResponse {
        gateway.telemetry.began()
        note.body = request.body
        WorkLabel.set(Origin.request(note.requestID))
        let response: HTTPResponse
        do throws(GatewayError) {
            response = marked(.success(try await gateway.answer(request, note)), for: request.head)
        } catch {
            response = marked(.failure(error), for: request.head)
        }
        note.resend?.answered(status: response.status)
        if case .stream = response.body, note.stream() { return response }
        gateway.telemetry.ended()
        return response
    }

    /// Answers the query of a task that has ended and is in memory, under a known key, without starting a Swift task:
    /// clients poll, and most of the answers are known already. Every other request goes through ``respond(to:)``,
    /// which makes the same checks and more.
    func immediateResponse(to request: HTTPRequest) -> HTTPResponse? {
        guard request.method == .get || request.method == .head, let match = note.match, match.route == .tryOnTask
        else {
            return nil
        }
        do throws(GatewayError) {
            let admitted = try gateway.admission.admitAtOnce(request, note) { tenant in
                gateway.tasks.queries.finished(match.identifier, tenant: tenant)
            }
            guard let (json, rate) = admitted else { return nil }
            let body = Envelope.success(requestID: note.requestID, data: json)
            var response = Answer.success(body, requestID: note.requestID)
            response.headers.append(contentsOf: rate)
            return marked(.success(response), for: request.head)
        } catch {
            return marked(.failure(error), for: request.head)
        }
    }

    func response(to rejection: HTTPRejection) -> HTTPResponse {
        marked(.failure(GatewayError(rejection)), for: rejection.head)
    }

    func didFinish(_ exchange: HTTPExchange) {
        note.end()
        if note.isStreamed { gateway.telemetry.ended() }
        gateway.telemetry.finished(exchange, note)
    }

    private func marked(_ answered: Result<HTTPResponse, GatewayError>, for head: HTTPRequestHead?) -> HTTPResponse {
        var response: HTTPResponse
        switch answered {
        case .success(let answer): response = answer
        case .failure(let error):
            note.cause = error.cause
            response = ErrorAnswer.response(to: error, shape: note.shape, requestID: note.requestID)
        }
        gateway.crossOrigin?.mark(&response, for: head?.headers)
        return response
    }
}
