internal import Base
internal import HTTPServer
internal import KlingAPI
internal import TaskStore

extension UseapiHandler {
    func create(_ admitted: AdmittedRequest) async throws(GatewayError) -> HTTPResponse {
        let body = try await admitted.body(limit: bodyLimit, headroom: TryOnParts.growthPercent)
        let form = try await admitted.form(in: body)
        let route = admitted.match.route
        let fingerprint =
            if let form { await IdempotentRequest.fingerprint(route, form) } else {
                await IdempotentRequest.fingerprint(route, body)
            }
        if let answer = try await repetition(of: admitted, fingerprint) { return answer }
        let members = if let form { try UseapiMembers(form) } else { try await UseapiMembers(json: body) }
        let wanted = try UseapiRequest(members, models: models)
        let job: JobRecord
        do {
            var request = try await self.job(wanted, body, admitted)
            request.idempotency = admitted.idempotent.map { IdempotencyKey(key: $0.key, fingerprint: fingerprint) }
            job = try await tasks.createJob(
                request, for: admitted.principal, admitted.note, on: admitted.request.loop)
        } catch {
            throw error.renamed(wanted.names).namingJob()
        }
        let answer = UseapiView.json(job)
        await tasks.answered(job, StoredAnswer(status: 200, body: answer))
        return Answer.success(answer, requestID: admitted.note.requestID)
    }

    private func job(
        _ wanted: UseapiRequest, _ body: Bytes, _ admitted: AdmittedRequest
    ) async throws(GatewayError) -> JobRequest {
        try admitted.principal.scope.check(model: wanted.model)
        let account = try account(named: wanted.email)
        let outfit = try await pictures.outfit(wanted.human, wearing: wanted.garment, admitted)
        let requestID = admitted.note.requestID
        return JobRequest(
            tryOn: try await outfit.request(model: wanted.model, models: models, keeping: body),
            count: wanted.imageCount, shape: Shape.useapi.rawValue, record: UseapiView.taskInfo(wanted),
            callbackURL: wanted.replyURL, callbackRef: wanted.replyRef,
            refusal: { ErrorAnswer.stored($0, shape: .useapi, requestID: requestID) }, account: account,
            maxJobs: wanted.maxJobs)
    }

    /// The answer to a request that was sent before under the same `Idempotency-Key`.
    private func repetition(
        of admitted: AdmittedRequest, _ fingerprint: [UInt8]
    ) async throws(GatewayError) -> HTTPResponse? {
        guard let idempotent = admitted.idempotent, let known = idempotent.known else { return nil }
        let requestID = admitted.note.requestID
        do {
            return try idempotent.replay(fingerprint).map { Answer.repeated($0, requestID: requestID) }
        } catch {
            guard error.cause == .idempotencyOpen, let job = try await tasks.unansweredJob(known) else { throw error }
            let answer = StoredAnswer(status: 200, body: UseapiView.json(job))
            await tasks.answered(job, answer)
            return Answer.repeated(answer, requestID: requestID)
        }
    }
}

extension UseapiMembers {
    init(_ form: FormData) throws(GatewayError) {
        self.init()
        for part in form.parts {
            if part.isFile { try add(part.name, file: part.content) } else { try add(part.name, text: part.content) }
        }
    }
}

extension GatewayError {
    /// The error with the job's number in place of the task's id, which these answers have no member for.
    fileprivate func namingJob() -> GatewayError {
        guard let job else { return self }
        var error = self
        error.message = message.replacing("error.task_id", with: "GET /v1/kling/tasks/\(job)")
        return error
    }
}
