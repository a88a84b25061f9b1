internal import Base
internal import KlingAPI
internal import TaskStore

/// Reads the watched tasks from Kling, and records what it says about them.
final class KlingReader: TaskReader {
    // Weak: the tasks own the watcher, which owns its reader.
    private struct Owner {
        weak var tasks: TryOnTasks?
    }

    private let owner = Lock(Owner())
    private let cursors = Lock(ListCursors())

    /// Sets the tasks to read. Call it before the watcher starts.
    func serve(_ tasks: TryOnTasks) { owner.withLock { $0.tasks = tasks } }

    private var tasks: TryOnTasks? { owner.withLock { $0.tasks } }

    func list(_ account: String, page: Int) async throws(TaskReadFailure) -> TaskPage {
        guard let tasks, let account = tasks.accounts.named(account) else { throw .unavailable }
        let destination = Destination(account)
        guard let position = cursors.withLock({ $0.position(page, of: destination) }) else {
            // The cursor of this page is unknown: the next run starts at the first page.
            return TaskPage(tasks: [], isLast: true)
        }
        let listed = try? await tasks.caller.list(destination, position, timeout: AccountProbes.timeout)
        guard let listed else { throw .unavailable }
        // A reseller without a list answers that there is no such path or method.
        if listed.answer.hasNoRoute { throw .noList }
        guard let found = listed.page else { throw .unavailable }
        cursors.withLock { $0.note(found.nextCursor, after: page, of: destination) }
        return found
    }

    func tasksPerQuery(_ account: String) -> Int {
        tasks?.accounts.named(account).map { Destination($0).dialect.adapter.tasksPerQuery } ?? 1
    }

    func query(_ account: String, _ watched: [WatchedID]) async -> [TaskReading] {
        guard let tasks, let account = tasks.accounts.named(account) else { return watched.map { _ in .failed } }
        var readings: [TaskID: TaskReading] = [:]
        for (dialect, group) in await byDialect(watched, tasks) {
            let references = group.map { TaskReference(id: $0.id, upstreamID: $0.upstreamID) }
            let destination = Destination(account, dialect)
            let found = await tasks.caller.query(destination, references, timeout: TaskQueries.timeout)
            for (task, found) in zip(group, found) { readings[task.id] = TaskReading(found) }
            let missing = zip(group, found).filter { !$1.isFound }.map(\.0.id)
            if !missing.isEmpty { await tasks.probes.miss(missing, at: destination) }
        }
        return watched.map { readings[$0.id] ?? .failed }
    }

    /// Groups the tasks by the API that each was sent with, in batches that fit into one query.
    private func byDialect(
        _ watched: [WatchedID], _ tasks: TryOnTasks
    ) async -> [(dialect: KlingDialect, tasks: [WatchedID])] {
        var groups: [KlingDialect: [WatchedID]] = [:]
        for task in watched {
            guard let record = try? await tasks.store.task(task.id) else { continue }
            groups[record.dialect, default: []].append(task)
        }
        return groups.flatMap { dialect, group in
            stride(from: 0, to: group.count, by: dialect.adapter.tasksPerQuery).map { start in
                (dialect, Array(group[start..<min(start + dialect.adapter.tasksPerQuery, group.count)]))
            }
        }
    }

    func found(_ found: [FoundTask]) async -> [TaskProgress] {
        guard let tasks else { return found.map { _ in .unfinished } }
        var progress: [TaskProgress] = []
        for task in found { progress.append(await tasks.ledger.recordObservation(task.object, of: task.id)) }
        return progress
    }

    func flag(_ task: TaskID, isStuck: Bool) async {
        _ = await tasks?.ledger.flag(task, isStuck ? .stuck : [])
    }
}

extension TaskReading {
    fileprivate init(_ found: QueryResult) {
        switch found {
        case .found(_, let object, _): self = .found(object)
        case .unknown: self = .unknown
        case .other, .none: self = .failed
        }
    }
}

/// The cursors of the accounts' list pages, for APIs whose pages have no numbers. Each page has the cursor of the
/// next.
private struct ListCursors {
    private var cursors: [String: [Int: String]] = [:]

    /// The position of a page; nil if it needs a cursor that is unknown.
    func position(_ page: Int, of destination: Destination) -> ListPosition? {
        if page == 1 || destination.dialect.adapter.hasPageNumbers { return ListPosition(page: page) }
        return cursors[destination.account.name]?[page].map { ListPosition(page: page, cursor: $0) }
    }

    mutating func note(_ cursor: String?, after page: Int, of destination: Destination) {
        cursors[destination.account.name, default: [:]][page + 1] = cursor
    }
}
