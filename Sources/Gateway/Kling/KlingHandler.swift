internal import Base
internal import HTTPServer
internal import KlingAPI
internal import TaskStore

/// Create, query and list in Kling's own shape.
struct KlingHandler: ShapeHandler {
    let tasks: TryOnTasks
    let models: TryOnModels
    let pictures: PictureIntake
    /// The maximum size of a body, in bytes.
    let bodyLimit: Int

    func answer(_ admitted: AdmittedRequest) async throws(GatewayError) -> HTTPResponse {
        switch (admitted.match.route, admitted.request.method) {
        case (.tryOn, .post):
            try await create(admitted, limit: bodyLimit) { [models] body throws(ParameterError) in
                try await TryOnRequest.parse(body, models: models)
            }
        case (.tryOn, _): try await list(admitted)
        case (.tryOnTask, _): try await query(admitted)
        default: throw .unknownPath
        }
    }

    /// Answers a create in any shape that `parse` reads. The answer is in the shape of Kling's older API.
    func create(
        _ admitted: AdmittedRequest, limit: Int, parse: (Bytes) async throws(ParameterError) -> TryOnRequest
    ) async throws(GatewayError) -> HTTPResponse {
        let body = try await admitted.body(limit: limit)
        let content = await admitted.content(body)
        var key: IdempotencyKey?
        switch try await admitted.repetition(of: content) {
        case .none: break
        case .first(let claimed): key = claimed
        case .answered(let response): return response
        }
        let ticket = try await admitted.resend(of: content, tasks.resends)
        let wanted: TryOnRequest
        do {
            wanted = try await parse(body)
        } catch {
            throw GatewayError(error)
        }
        try admitted.principal.scope.check(model: wanted.model)
        let request = try await pictures.inlined(wanted, admitted)
        if let ticket, let earlier = ticket.earlier {
            let made = try await tasks.creates.attached(to: earlier, request, admitted.note)
            if let made {
                return Answer.repeated(StoredAnswer(status: 200, body: made), requestID: admitted.note.requestID)
            }
            try ticket.startOver()
        }
        let made = try await tasks.creates.create(
            request, for: admitted.principal, idempotency: key, admitted.note)
        return Answer.success(made, requestID: admitted.note.requestID)
    }

    private func list(_ admitted: AdmittedRequest) async throws(GatewayError) -> HTTPResponse {
        let page = try ListParameters(query: admitted.request.head.query)
        var response = Answer.success([], requestID: admitted.note.requestID)
        response.body = try await tasks.queries.list(page, for: admitted)
        return response
    }

    private func query(_ admitted: AdmittedRequest) async throws(GatewayError) -> HTTPResponse {
        let found = try await tasks.queries.query(
            admitted.identifier, tenant: admitted.tenant, admitted.note)
        var response = try await admitted.success(found.body)
        if let staleness = found.staleness {
            response.headers.append(
                (name: "x-kling-gateway-stale", value: String(max(1, Int(staleness.seconds.rounded(.up))))))
        }
        return response
    }
}
