internal import Base
internal import HTTPServer
internal import KlingAPI
internal import TaskStore

extension UseapiHandler {
    func create(_ admitted: AdmittedRequest) async throws(GatewayError) -> HTTPResponse {
        let body = try await admitted.body(limit: bodyLimit, headroom: TryOnParts.growthPercent)
        let form = try await admitted.form(in: body)
        let content = await admitted.content(body, form)
        let members = if let form { try UseapiMembers(form) } else { try await UseapiMembers(json: body) }
        let wanted = try UseapiRequest(members, models: models)
        let creation: Creation<JobRecord>
        do {
            creation = try await admitted.once(content) { known throws(GatewayError) in
                try await tasks.jobs.unanswered(known)
            } earlier: { first throws(GatewayError) in
                try await tasks.jobs.attached(to: first) { () throws(GatewayError) in
                    try await job(wanted, body, admitted).tryOn
                }
            } make: { key throws(GatewayError) in
                var request = try await job(wanted, body, admitted)
                request.idempotency = key
                return try await tasks.jobs.create(request, for: admitted.principal, admitted.note)
            }
        } catch {
            throw error.renamed(wanted.names).namingJob()
        }
        return await answer(creation, admitted)
    }

    private func answer(_ creation: Creation<JobRecord>, _ admitted: AdmittedRequest) async -> HTTPResponse {
        let requestID = admitted.note.requestID
        switch creation {
        case .answered(let answer, _): return Answer.repeated(answer, requestID: requestID)
        case .repeated(let job): return Answer.repeated(Self.answer(job), requestID: requestID)
        case .takenOver(let job):
            await tasks.jobs.recordAnswer(Self.answer(job), to: job)
            return Answer.repeated(Self.answer(job), requestID: requestID)
        case .made(let job):
            let answer = Self.answer(job)
            await tasks.jobs.recordAnswer(answer, to: job)
            return Answer.success(answer.body, requestID: requestID)
        }
    }

    private static func answer(_ job: JobRecord) -> StoredAnswer {
        StoredAnswer(status: 200, body: UseapiView.json(job))
    }

    private func job(
        _ wanted: UseapiRequest, _ body: Bytes, _ admitted: AdmittedRequest
    ) async throws(GatewayError) -> JobRequest {
        try admitted.principal.check(model: wanted.model)
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
}

extension UseapiMembers {
    init(_ form: FormData) throws(GatewayError) {
        self.init()
        for part in form.parts {
            if part.isFile {
                try add(part.name, file: part.content)
            } else {
                try add(part.name, text: part.content, part.charset)
            }
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
