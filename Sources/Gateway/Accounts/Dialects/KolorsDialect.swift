internal import Base
internal import KlingAPI
internal import TaskStore

/// `/v1/images/kolors-virtual-try-on`: tasks are queried by path, one at a time, and list pages by number.
struct KolorsDialect: UpstreamDialect {
    let tasksPerQuery = 1
    let hasPageNumbers = true
    let takesFiles = true

    func takesFile(in format: PictureFormat) -> Bool { format != .webp }

    func check(_ request: TryOnRequest) throws(GatewayError) {
        guard let name = request.settings.nonDefaultNames.first else { return }
        throw GatewayError(
            .badParameter,
            "\(name) cannot be changed: no account of this gateway that could take the request speaks the API that has it. "
                + "Leave \(name) out.", parameter: name)
    }

    func create(_ body: [ByteSlice]) -> UpstreamRequest {
        UpstreamRequest(kind: .create, method: .post, path: TryOn.path, body: body)
    }

    func query(_ tasks: [TaskReference]) -> UpstreamRequest {
        let id = tasks.first.map { $0.upstreamID ?? $0.id.description } ?? ""
        return UpstreamRequest(kind: .query, path: TryOn.path + "/" + PercentEncoding.encoded(id))
    }

    func list(_ position: ListPosition) -> UpstreamRequest {
        let size = TryOn.pageSizes.upperBound
        return UpstreamRequest(kind: .list, path: TryOn.path + "?pageNum=\(position.page)&pageSize=\(size)")
    }

    func created(_ answer: UpstreamAnswer) -> UpstreamAnswer { answer }

    func found(_ answer: UpstreamAnswer, _ tasks: [TaskReference]) -> [QueryResult] {
        tasks.map { QueryResult(answer, to: $0.id, upstreamID: $0.upstreamID) }
    }

    func page(_ answer: UpstreamAnswer) -> TaskPage? {
        guard let envelope = answer.envelope, envelope.code == .ok, let tasks = envelope.tasks else { return nil }
        return TaskPage(tasks: tasks, isLast: tasks.count < TryOn.pageSizes.upperBound)
    }
}
