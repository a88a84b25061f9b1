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
        case (.costs, _):
            Answer.success(
                Envelope.success(requestID: admitted.note.requestID, data: Self.noCosts),
                requestID: admitted.note.requestID)
        default: throw .unknownPath
        }
    }

    /// Kling's list of an account's resource packs, without any: they are the operator's.
    private static let noCosts = Array(#"{"code":0,"msg":"success","resource_pack_subscribe_infos":[]}"#.utf8)

    /// Answers a create in any shape that `parse` reads. The answer is in the shape of Kling's older API.
    func create(
        _ admitted: AdmittedRequest, limit: Int, parse: (Bytes) async throws(ParameterError) -> TryOnRequest
    ) async throws(GatewayError) -> HTTPResponse {
        let body = try await admitted.body(limit: limit)
        func request() async throws(GatewayError) -> TryOnRequest {
            let wanted: TryOnRequest
            do throws(ParameterError) {
                wanted = try await parse(body)
            } catch {
                throw GatewayError(error)
            }
            try admitted.principal.check(model: wanted.model)
            return try await pictures.inlined(wanted, admitted)
        }
        let content: RequestContent
        if let short = RequestContent(atOnce: admitted.match.route, body) {
            content = short
        } else {
            content = await admitted.content(body)
        }
        let creation = try await admitted.once(content) { _ in
            nil
        } earlier: { first throws(GatewayError) in
            try await tasks.creates.attached(to: first, try await request(), admitted.note)
        } make: { key throws(GatewayError) in
            try await tasks.creates.create(
                try await request(), for: admitted.principal, idempotency: key, admitted.note)
        }
        let requestID = admitted.note.requestID
        switch creation {
        case .made(let made): return Answer.success(made, requestID: requestID)
        case .takenOver(let made), .repeated(let made):
            return Answer.repeated(StoredAnswer(status: 200, body: made), requestID: requestID)
        case .answered(let answer, _): return Answer.repeated(answer, requestID: requestID)
        }
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
