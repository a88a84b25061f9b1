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
            try await create(admitted, limit: bodyLimit, form: .older)
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

    /// The API in whose form a create is.
    enum Form { case older, solutions }

    /// Answers a create in either form. The answer is in the form of Kling's older API.
    func create(_ admitted: AdmittedRequest, limit: Int, form: Form) async throws(GatewayError) -> HTTPResponse {
        let body = try await admitted.body(limit: limit)
        let content: RequestContent
        if let short = RequestContent(atOnce: admitted.match.route, body) {
            content = short
        } else {
            content = await admitted.content(body)
        }
        let (note, requestID) = (admitted.note, admitted.note.requestID)
        let creation: Creation<[UInt8]> = try await admitted.once(content) { _ throws(GatewayError) in
            nil
        } earlier: { first throws(GatewayError) in
            try await tasks.creates.attached(to: first, try await request(body, form, admitted), note)
        } make: { key throws(GatewayError) in
            try await tasks.creates.create(
                try await request(body, form, admitted), for: admitted.principal, idempotency: key, note)
        }
        switch creation {
        case .made(let body), .takenOver(let body): return Answer.success(body, requestID: requestID)
        case .repeated(let body): return Answer.repeated(StoredAnswer(status: 200, body: body), requestID: requestID)
        case .answered(let answer, _): return Answer.repeated(answer, requestID: requestID)
        }
    }

    /// The create in a body, with files in place of links to uploads.
    private func request(
        _ body: Bytes, _ form: Form, _ admitted: AdmittedRequest
    ) async throws(GatewayError) -> TryOnRequest {
        let wanted: TryOnRequest
        do throws(ParameterError) {
            // Most creates are short and have links. Everything that need not suspend is done without a call that may.
            if form == .older, let short = try TryOnRequest.parsedAtOnce(body, models: models) {
                wanted = short
            } else {
                wanted =
                    form == .older
                    ? try await TryOnRequest.parse(body, models: models)
                    : try await TryOnRequest.parse(solutions: body, models: models)
            }
        } catch {
            throw GatewayError(error)
        }
        try admitted.principal.check(model: wanted.model)
        if try pictures.isComplete(wanted) { return wanted }
        return try await pictures.inlined(wanted, admitted)
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
