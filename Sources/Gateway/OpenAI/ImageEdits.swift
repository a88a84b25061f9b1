internal import Base
internal import EventLoop
internal import HTTPServer
internal import Hashing
internal import KlingAPI
internal import TaskStore

/// Serves `POST /v1/images/edits`: a job that is answered when its pictures are finished.
struct ImageEdits: Sendable {
    let tasks: TryOnTasks
    let models: TryOnModels
    /// The maximum size of a body, in bytes.
    let bodyLimit: Int
    /// How long a client waits for its pictures.
    let wait: Duration
    let intake: PictureIntake
    /// Fetches the finished pictures.
    let pictures: PictureService
    /// The budget of the memory for bodies.
    let budget: ByteBudget

    func answer(_ admitted: AdmittedRequest) async throws(GatewayError) -> HTTPResponse {
        do {
            switch try await prepare(admitted) {
            case .answered(let response): return response
            case .job(let job, let format, let deadline, let isRepeated):
                var response =
                    if format == .events { EditEventStream.answer(job, until: deadline, self, admitted) } else {
                        try await answer(job, format, until: deadline, admitted)
                    }
                if isRepeated { response.headers.append(Answer.replayed) }
                return response
            }
        } catch {
            throw error.withOpenAINames
        }
    }

    /// What a request leads to before the wait for its pictures. It no longer holds memory of the request's body.
    private enum Preparation {
        case answered(HTTPResponse)
        /// - Parameters:
        ///   - until: the deadline of the client's wait, which starts at the end of the request's body.
        ///   - isRepeated: whether the answer is marked as a replay of an earlier one.
        case job(JobRecord, ImageEdit.ResultFormat, until: MonotonicTime, isRepeated: Bool)
    }

    private func prepare(_ admitted: AdmittedRequest) async throws(GatewayError) -> Preparation {
        let body = try await admitted.body(limit: bodyLimit, headroom: TryOnParts.growthPercent)
        let deadline = MonotonicTime.now + wait
        let content = await admitted.content(body, try await admitted.form(in: body))
        let members =
            if let form = content.form { try EditMembers(form: form) } else { try await EditMembers(json: body) }
        let format = try ImageEdit.ResultFormat(members)
        let creation = try await admitted.once(content) { known throws(GatewayError) in
            if let job = try await tasks.jobs.unanswered(known) { return job }
            return try await retried(content, deadline, admitted)
        } earlier: { first throws(GatewayError) in
            try await tasks.jobs.attached(to: first, until: deadline) { () throws(GatewayError) in
                try await tryOn(try ImageEdit(members, models: models), admitted, content)
            }
        } make: { key throws(GatewayError) in
            if let job = try await retried(content, deadline, admitted) {
                admitted.note.resend?.withdraw()
                return job
            }
            let edit = try ImageEdit(members, models: models)
            try admitted.principal.check(model: edit.model)
            return try await made(edit, key, admitted, content)
        }
        switch creation {
        case .made(let job), .takenOver(let job): return .job(job, format, until: deadline, isRepeated: false)
        case .repeated(let job): return .job(job, format, until: deadline, isRepeated: true)
        case .answered(let answer, let known): return try await repeated(answer, known, format, deadline, admitted)
        }
    }

    private func made(
        _ edit: ImageEdit, _ idempotency: IdempotencyKey?, _ admitted: AdmittedRequest, _ content: RequestContent
    ) async throws(GatewayError) -> JobRecord {
        let tryOn = try await tryOn(edit, admitted, content)
        let requestID = admitted.note.requestID
        let request = JobRequest(
            tryOn: tryOn, count: edit.count, shape: Shape.openAI.rawValue, record: edit.record,
            fingerprint: content.digest.bytes, idempotency: idempotency,
            refusal: { ErrorAnswer.stored($0.withOpenAINames, shape: .openAI, requestID: requestID) })
        return try await tasks.jobs.create(request, for: admitted.principal, admitted.note)
    }
}

extension ImageEdits {
    /// The try-on that each of the tasks runs.
    private func tryOn(
        _ edit: ImageEdit, _ admitted: AdmittedRequest, _ content: RequestContent
    ) async throws(GatewayError) -> TryOnRequest {
        let outfit = try await intake.outfit(edit.human, wearing: edit.garment, admitted)
        return try await outfit.request(
            model: edit.model, externalTaskID: edit.externalTaskID, callbackURL: edit.callbackURL,
            settings: edit.settings, models: models,
            keeping: content.body)
    }
}

// MARK: - Repeated requests

extension ImageEdits {
    /// How long after a job's creation a retry of an SDK attaches to it, in milliseconds.
    private static let attachable: Int64 = 600_000
    /// The header with an SDK's number of retries; more than 0 means a retry.
    private static let attempts: StaticString = "x-stainless-retry-count"

    /// The latest job with this content, if an SDK says that it sends the request again.
    private func retried(
        _ content: RequestContent, _ deadline: MonotonicTime, _ admitted: AdmittedRequest
    ) async throws(GatewayError) -> JobRecord? {
        guard admitted.request.headers[Self.attempts].flatMap({ Int($0) }).map({ $0 > 0 }) ?? false,
            let latest = try await tasks.jobs.latest(
                content.digest.bytes, tenant: admitted.tenant, since: tasks.clock.believed - Self.attachable)
        else { return nil }
        return await tasks.jobs.settled(latest, until: deadline)
    }

    /// Repeats the answer of an earlier request. A success is shown from its job, because pictures are not stored.
    private func repeated(
        _ answer: StoredAnswer, _ known: IdempotencyRecord, _ format: ImageEdit.ResultFormat,
        _ deadline: MonotonicTime, _ admitted: AdmittedRequest
    ) async throws(GatewayError) -> Preparation {
        do throws(StoreError) {
            if answer.status == 200, let job = try await tasks.store.jobs.job(of: known.task) {
                return .job(job, format, until: deadline, isRepeated: true)
            }
        } catch {
            throw GatewayError(error)
        }
        return .answered(Answer.repeated(answer, requestID: admitted.note.requestID))
    }
}

// MARK: - Waiting and answering

extension ImageEdits {
    private func answer(
        _ job: JobRecord, _ format: ImageEdit.ResultFormat, until deadline: MonotonicTime, _ admitted: AdmittedRequest
    ) async throws(GatewayError) -> HTTPResponse {
        var job = job
        if !job.isFinal {
            admitted.note.startWaiting()
            job = await tasks.jobs.ended(job, until: deadline)
            admitted.note.stopWaiting()
        }
        let view = try await result(of: job, admitted)
        if format == .url { return try await admitted.success(view.json) }
        do {
            var pictures: [Bytes] = []
            for url in view.urls { pictures.append(try await picture(url, admitted).text) }
            let slices = view.slices(pictures, includesURLs: format == .both)
            var response = Answer.success([], requestID: admitted.note.requestID)
            response.body = .slices(slices)
            return response
        } catch {
            // A client that did not ask for base64 only is served by the URL.
            if format == .base64 { throw .unfetched(job) }
            return try await admitted.success(view.json)
        }
    }

    /// What a job has come to after the client's wait. It is recorded as the answer.
    /// - Throws: the reason, if there is no picture.
    func result(of job: JobRecord, _ admitted: AdmittedRequest) async throws(GatewayError) -> ImageEditView {
        guard job.isFinal else { throw .unfinished(job, after: wait) }
        do {
            let view = try ImageEditView(job)
            await tasks.jobs.recordAnswer(StoredAnswer(status: 200, body: view.json), to: job)
            return view
        } catch {
            await tasks.jobs.recordAnswer(
                ErrorAnswer.stored(error, shape: .openAI, requestID: admitted.note.requestID), to: job)
            throw error
        }
    }

    /// A finished picture, and its base64.
    func picture(
        _ url: String, _ admitted: AdmittedRequest
    ) async throws(GatewayError) -> (header: ImageHeader?, text: Bytes) {
        let file = try await pictures.result(url, tenant: admitted.tenant)
        let lease = try await budget.room(for: Base64.textCount(of: file.count), tenant: admitted.tenant)
        guard let text = Base64.encode(file, onRelease: { lease?.shrink(to: 0) }) else {
            throw GatewayError(.noBudget)
        }
        return (try? ImageHeader.check(file: ByteSlice(file, 0..<file.count)), text)
    }
}

extension GatewayError {
    /// The error for a picture that Kling made but the gateway could not fetch.
    static func unfetched(_ job: JobRecord) -> GatewayError {
        var error = GatewayError(
            .upstreamFailed,
            "The picture was made, but could not be fetched. Do not send the request again: query error.task_id for its URL."
        )
        error.taskID = job.tasks[0].shownID
        return error
    }

    /// The error with the parameter's name as OpenAI's clients send it: a picture has the name of its list.
    var withOpenAINames: GatewayError {
        var error = renamed(["model_name": EditMembers.Name.model.rawValue])
        if let bracket = error.parameter?.firstIndex(of: "[") {
            error.parameter = error.parameter.map { String($0[..<bracket]) }
        }
        return error
    }
}
