internal import Base
internal import KlingAPI
internal import TaskStore

/// `/solutions/virtual_try_on`: one query asks for up to 20 tasks, and each list page but the last has a cursor for the
/// next one. The same route also lists tasks of Kling's other solutions, which the gateway ignores because it doesn't
/// know their ids.
struct SolutionsDialect: UpstreamDialect {
    let tasksPerQuery = Solutions.idsPerQuery.upperBound
    let hasPageNumbers = false
    let takesFiles = false

    func takesFile(in format: PictureFormat) -> Bool { false }

    func check(_ request: TryOnRequest) {}

    func create(_ body: [ByteSlice]) -> UpstreamRequest {
        UpstreamRequest(kind: .create, method: .post, path: Solutions.createPath, body: body)
    }

    func query(_ tasks: [TaskReference]) -> UpstreamRequest {
        let query = SolutionsQuery(key(of: tasks), tasks.map { $0.upstreamID ?? $0.id.description })
        return UpstreamRequest(kind: .query, path: Solutions.path + "?" + query.text)
    }

    func list(_ position: ListPosition) -> UpstreamRequest {
        let body = SolutionsList(cursor: position.cursor).json
        return UpstreamRequest(
            kind: .list, method: .post, path: Solutions.path, body: [ByteSlice(Bytes(body), 0..<body.count)])
    }

    func created(_ answer: UpstreamAnswer) -> UpstreamAnswer {
        guard case .enveloped(let status, let envelope) = answer else { return answer }
        // An answer that cannot be read doesn't say whether a task was made.
        return SolutionsAnswer(envelope).created.map { .enveloped(status: status, $0) }
            ?? .bare(BareAnswer(httpStatus: status))
    }

    func found(_ answer: UpstreamAnswer, _ tasks: [TaskReference]) -> [QueryResult] {
        guard case .enveloped(_, let envelope) = answer else { return tasks.map { _ in .none } }
        let (answer, key) = (SolutionsAnswer(envelope), key(of: tasks))
        return tasks.map { task in
            switch answer.find(task.upstreamID ?? task.id.description, by: key) {
            case .found(let envelope, let object):
                object.taskID.map { .found(envelope, object, upstreamID: $0) } ?? .other(object)
            case .unknown: .unknown
            case .unclear: .none
            }
        }
    }

    func page(_ answer: UpstreamAnswer) -> TaskPage? {
        guard let envelope = answer.envelope, envelope.code == .ok else { return nil }
        let page = SolutionsAnswer(envelope)
        guard let tasks = page.tasks else { return nil }
        let cursor = page.hasMore ? page.nextCursor : nil
        return TaskPage(tasks: tasks, isLast: cursor == nil, nextCursor: cursor)
    }

    private func key(of tasks: [TaskReference]) -> SolutionsQuery.Key {
        tasks.contains { $0.upstreamID == nil } ? .externalTaskIDs : .taskIDs
    }
}
