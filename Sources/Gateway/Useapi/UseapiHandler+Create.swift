internal import Base
internal import HTTPServer
internal import KlingAPI
internal import TaskStore

extension UseapiHandler {
    func create(_ admitted: AdmittedRequest) async throws(GatewayError) -> HTTPResponse {
        let body = try await admitted.body(limit: bodyLimit, headroom: TryOnParts.growthPercent)
        let form = try await admitted.form(in: body)
        let content = await admitted.content(body, form)
        let idempotency = try await claim(admitted, content)
        if case .answered(let answer) = idempotency { return answer }
        let ticket = try await admitted.resend(of: content, tasks.resends)
        let members = if let form { try UseapiMembers(form) } else { try await UseapiMembers(json: body) }
        let wanted = try UseapiRequest(members, models: models)
        let job: JobRecord
        do {
            if let ticket, let earlier = ticket.earlier {
                let job = try await tasks.jobs.attached(to: earlier) {
                    () throws(GatewayError) in try await self.job(wanted, body, admitted).tryOn
                }
                if let job {
                    let answer = StoredAnswer(status: 200, body: UseapiView.json(job))
                    return Answer.repeated(answer, requestID: admitted.note.requestID)
                }
                try ticket.startOver()
            }
            var request = try await self.job(wanted, body, admitted)
            if case .first(let key) = idempotency { request.idempotency = key }
            job = try await tasks.jobs.create(
                request, for: admitted.principal, admitted.note)
        } catch {
            throw error.renamed(wanted.names).namingJob()
        }
        let answer = UseapiView.json(job)
        await tasks.jobs.recordAnswer(StoredAnswer(status: 200, body: answer), to: job)
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
            tryOn: try await outfit.request(
                model: wanted.model, settings: wanted.settings, models: models, keeping: body),
            count: wanted.imageCount, shape: Shape.useapi.rawValue, record: UseapiView.taskInfo(wanted),
            callbackURL: wanted.replyURL, callbackRef: wanted.replyRef,
            refusal: { ErrorAnswer.stored($0, shape: .useapi, requestID: requestID) }, account: account,
            maxJobs: wanted.maxJobs)
    }

    /// Checks the request's `Idempotency-Key`, if it has one: an earlier answer is replayed, a new key is claimed.
    private func claim(
        _ admitted: AdmittedRequest, _ content: RequestContent
    ) async throws(GatewayError) -> AdmittedRequest.Repetition {
        guard let idempotent = admitted.idempotent else { return .none }
        let (requestID, fingerprint) = (admitted.note.requestID, await content.sha256)
        guard let known = idempotent.known else {
            return .first(idempotent.claim(fingerprint))
        }
        do {
            if let answer = try idempotent.replay(fingerprint) {
                return .answered(Answer.repeated(answer, requestID: requestID))
            }
            return .first(idempotent.claim(fingerprint))
        } catch {
            guard error.cause == .idempotencyOpen, let job = try await tasks.jobs.unanswered(known) else { throw error }
            let answer = StoredAnswer(status: 200, body: UseapiView.json(job))
            await tasks.jobs.recordAnswer(answer, to: job)
            return .answered(Answer.repeated(answer, requestID: requestID))
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
        guard let job = self.job else { return self }
        var error = self
        error.message = self.message.replacing("error.task_id", with: "GET /v1/kling/tasks/\(job)")
        return error
    }
}
