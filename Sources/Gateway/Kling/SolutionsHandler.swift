internal import Base
internal import EventLoop
internal import HTTPServer
internal import KlingAPI
internal import TaskStore

/// Create, query and list in the shape of Kling's newer API, whichever API the accounts use. Inside the gateway, tasks
/// are in the older shape, so clients of every shape can find them.
struct SolutionsHandler: ShapeHandler {
    let kling: KlingHandler

    private var tasks: TryOnTasks { kling.tasks }

    func answer(_ admitted: AdmittedRequest) async throws(GatewayError) -> HTTPResponse {
        switch (admitted.match.route, admitted.request.method) {
        case (.solutionsTryOn, _): try await create(admitted)
        case (.solutions, .post): try await list(admitted)
        case (.solutions, _): try await query(admitted)
        default: throw .unknownPath
        }
    }

    private func create(_ admitted: AdmittedRequest) async throws(GatewayError) -> HTTPResponse {
        let limit = min(kling.bodyLimit, Solutions.maxBodyBytes)
        var response: HTTPResponse
        do {
            response = try await kling.create(admitted, limit: limit, form: .solutions)
        } catch {
            throw error.renamed(Self.places)
        }
        // Replayed answers are in the older shape, too.
        if case .bytes(let bytes) = response.body, let answer = KlingAnswer(bytes), let task = answer.task {
            response.body = .bytes(answer.relayed(data: task.solutionsCreatedJSON))
        }
        return response
    }

    /// The paths in this shape of the older members, for errors that occur after the body was read.
    private static let places = [
        "human_image": "contents[\(PictureField.human.contentType)].url",
        "cloth_image": "contents[\(PictureField.cloth.contentType)].url", "callback_url": "options.callback_url",
        "external_task_id": "options.external_task_id",
        "watermark": "options.watermark.enabled", "keep_face": "settings.keep_face", "keep_pose": "settings.keep_pose",
        "keep_background": "settings.keep_background",
    ]

    // MARK: Query

    private func query(_ admitted: AdmittedRequest) async throws(GatewayError) -> HTTPResponse {
        let query: SolutionsQuery
        do {
            query = try SolutionsQuery(query: admitted.request.head.query)
        } catch {
            throw GatewayError(error)
        }
        let calls = query.ids.map { id in
            admitted.request.loop.spawn { [self] in
                await result { () async throws(GatewayError) in
                    try await find(id, by: query.key, admitted).flatMap { FoundTask($0, asked: id) }
                }
            }
        }
        var (seen, found): (Set<String>, [FoundTask]) = ([], [])
        for call in calls {
            if let task = try await call.value.get(), seen.insert(task.id).inserted { found.append(task) }
        }
        return try await answer(found, by: query.key, admitted)
    }

    /// A task that a query has found.
    private struct FoundTask {
        let id, asked: String
        let bytes: Int
        /// nil if it is long: it is read again once there is memory for the whole answer.
        let json: [UInt8]?

        init?(_ task: TaskObject, asked: String) {
            guard let id = task.taskID else { return nil }
            let json = task.solutionsJSON
            (self.id, self.asked, bytes) = (id, asked, json.count)
            self.json = json.count <= AdmittedRequest.shortAnswer ? json : nil
        }
    }

    private func answer(
        _ found: [FoundTask], by key: SolutionsQuery.Key, _ admitted: AdmittedRequest
    ) async throws(GatewayError) -> HTTPResponse {
        let long = found.reduce(0) { $0 + ($1.json == nil ? $1.bytes : 0) }
        let lease = long > 0 ? try await admitted.room(for: long, fix: "Ask for fewer tasks.") : nil
        let (head, tail) = Envelope.arrayFrame(requestID: admitted.note.requestID)
        var array = SlicedArray(after: head, capacity: found.reduce(0) { $0 + $1.bytes } - long)
        for task in found {
            if let json = task.json {
                array.append(json)
            } else if let again = try await find(task.asked, by: key, admitted) {
                array.append(again.solutionsJSON)
            }
        }
        var response = Answer.success([], requestID: admitted.note.requestID)
        response.body = array.body(before: tail, holding: lease)
        return response
    }

    /// Finds a task of the tenant; nil if there is none.
    private func find(
        _ id: String, by key: SolutionsQuery.Key, _ admitted: AdmittedRequest
    ) async throws(GatewayError) -> TaskObject? {
        let found: TaskQueries.Found
        do {
            found = try await tasks.queries.query(id, tenant: admitted.tenant, admitted.note)
        } catch {
            if error.cause == .unknownTask { return nil }
            throw error
        }
        guard let task = KlingAnswer(found.body)?.task else { return nil }
        // A client's own id may look like an id that the client was told, and vice versa.
        switch key {
        case .taskIDs: return task.taskID == id || task.externalTaskID != id ? task : nil
        case .externalTaskIDs: return task.externalTaskID == id ? task : nil
        }
    }

    // MARK: List

    private func list(_ admitted: AdmittedRequest) async throws(GatewayError) -> HTTPResponse {
        let body = try await admitted.body(limit: min(kling.bodyLimit, Solutions.maxBodyBytes))
        if body.count == 0 {
            throw GatewayError(.malformedBody, "The body is empty. Send a JSON object: {} lists the last 30 days.")
        }
        let wanted: SolutionsList
        do {
            // The bytes are valid during the call; the array is a copy.
            wanted = try SolutionsList(body: unsafe body.withUnsafeBytes { unsafe Array($0) })
        } catch {
            throw GatewayError(error)
        }
        let (page, lease) = try await slice(wanted, admitted)
        let (head, tail) = Self.around(page, requestID: admitted.note.requestID)
        var array = SlicedArray(after: head, capacity: page.records.count * 512)
        for record in page.records {
            guard let task = TaskObject(TaskView.json(record)) else { continue }
            array.append(task.solutionsJSON)
        }
        var response = Answer.success([], requestID: admitted.note.requestID)
        response.body = array.body(before: tail, holding: lease)
        return response
    }

    private struct Page {
        var records: [TaskRecord]
        /// Where the next page starts; nil if there is none.
        var next: SliceCursor?
    }

    private func slice(
        _ wanted: SolutionsList, _ admitted: AdmittedRequest
    ) async throws(GatewayError) -> (Page, ByteBudget.Lease?) {
        let times = wanted.times(now: Int(tasks.clock.now + SliceCursor.clockSkew))
        var start = SliceCursor(createdAt: Int64(times.lowerBound)..<Int64(times.upperBound))
        if let cursor = wanted.cursor {
            guard let known = SliceCursor(cursor) else {
                throw GatewayError(
                    .badParameter, "cursor was not issued by this gateway. Send the next_cursor of the previous page.",
                    parameter: "cursor")
            }
            start = known
        }
        if wanted.statuses != nil, wanted.cursor == nil { try await refreshUnfinished(start, admitted) }
        let slice = TaskSlice(
            below: start.below, createdAt: start.recorded, states: wanted.statuses?.states, limit: wanted.limit + 1)
        var (records, lease) = try await admitted.page(of: slice.limit, fix: "Send a smaller limit.") {
            [tasks, tenant = admitted.tenant] limit throws(StoreError) in
            try await tasks.store.tasks(tenant: tenant, slice, answersUpTo: limit)
        }
        var next: SliceCursor?
        if records.count > wanted.limit {
            records.removeLast()
            next = SliceCursor(below: records.last?.number, createdAt: start.createdAt)
        }
        let matching = await tasks.queries.refreshed(records, admitted.note).filter {
            start.createdAt.contains($0.shownCreatedAt)
        }
        return (Page(records: matching, next: next), lease)
    }

    /// Refreshes up to a page of unfinished tasks before tasks are filtered by state, because some may have ended.
    private func refreshUnfinished(_ start: SliceCursor, _ admitted: AdmittedRequest) async throws(GatewayError) {
        let slice = TaskSlice(
            createdAt: start.recorded, states: [.submitted, .processing], limit: Solutions.limits.upperBound)
        let (records, lease) = try await admitted.page(of: slice.limit, fix: "Ask without filters.") {
            [tasks, tenant = admitted.tenant] limit throws(StoreError) in
            try await tasks.store.tasks(tenant: tenant, slice, answersUpTo: limit)
        }
        _ = await tasks.queries.refreshed(records, admitted.note)
        withExtendedLifetime(lease) {}
    }

    /// The JSON before and after the tasks of a page.
    private static func around(_ page: Page, requestID: String) -> (head: [UInt8], tail: [UInt8]) {
        let (head, tail) = Envelope.arrayFrame(requestID: requestID)
        let more = JSONWriter.object { data in
            data.member("count", page.records.count)
            data.member("next_cursor", page.next?.text ?? "")
            data.member("has_more", page.next != nil)
        }
        // `data` is an object around the array.
        return (
            head.dropLast() + Array(#"{"result":["#.utf8),
            Array("],".utf8) + more.dropFirst() + tail.dropFirst()
        )
    }
}

/// Where a page of a list ends. The next page has the older tasks; new tasks do not shift it.
struct SliceCursor: Sendable, Equatable {
    /// The number of the last task; nil at the start of the list.
    var below: Int64?
    /// The range of creation times, the same for all pages.
    let createdAt: Range<Int64>

    init(below: Int64? = nil, createdAt: Range<Int64>) {
        self.below = below
        self.createdAt = createdAt
    }

    /// When the gateway may have recorded tasks of these creation times. Kling's times are later, much later for tasks
    /// that waited in the queue, and Kling's clock may differ.
    var recorded: Range<Int64> {
        let (lower, upper) = (createdAt.lowerBound - Self.longestWait, createdAt.upperBound + Self.clockSkew)
        return max(0, lower)..<max(0, lower, upper)
    }

    private static let longestWait: Int64 = 3_600_000
    fileprivate static let clockSkew: Int64 = 300_000

    /// The cursor as clients keep it, an opaque text.
    var text: String { Base64.encode(Array("\(below ?? 0) \(createdAt.lowerBound) \(createdAt.upperBound)".utf8)) }

    /// Parses ``text``; nil if it is not a cursor.
    init?(_ text: String) {
        guard text.utf8.count <= 128, let bytes = Base64.decode(text.utf8) else { return nil }
        let numbers = String(decoding: bytes, as: UTF8.self).split(separator: " ").map { Int64($0) }
        guard numbers.count == 3, let below = numbers[0], let start = numbers[1], let end = numbers[2],
            below > 0, start <= end
        else { return nil }
        self.init(below: below, createdAt: start..<end)
    }
}

extension TaskRecord {
    /// The creation time that clients see: Kling's once it is known, the gateway's before.
    fileprivate var shownCreatedAt: Int64 {
        self.answer.flatMap { TaskObject($0)?.createdAt }.map { Int64($0) } ?? self.createdAt
    }
}

extension [TaskStatus] {
    /// The states that these words stand for.
    fileprivate var states: Set<TaskState> {
        Set(TaskState.allCases.filter { state in contains { $0.rawValue == state.word } && state != .refused })
    }
}
