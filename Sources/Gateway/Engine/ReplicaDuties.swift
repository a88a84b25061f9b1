internal import Base
internal import TaskStore

/// What a gateway that shares its store with others does when something has happened at one of them.
struct ReplicaDuties: Sendable {
    let tasks: TryOnTasks
    let access: Access
    /// Called when another gateway has taken over the tasks of this one, which can do nothing more.
    let whenReplaced: @Sendable () -> Void

    private static let patience = Duration.seconds(1)

    /// Starts to do what falls due, until the background stops.
    func start(_ replicas: any ReplicaStore) {
        replicas.observe { event in
            switch event {
            case .tookOver(let ids, let number): run { await takeOver(ids, from: number) }
            case .taskChanged(let id): run { await catchUp(with: id) }
            case .keysChanged: run { await access.refresh() }
            case .wasReplaced:
                log(.error, "another gateway has taken over this one's tasks", [])
                whenReplaced()
            }
        }
    }

    private func run(_ duty: @escaping @Sendable () async -> Void) {
        Origin.$bound.withValue(.recovery) { _ = tasks.background.start(duty) }
    }

    /// Resumes the tasks of a gateway that has died, and retries for as long as the store is unavailable.
    private func takeOver(_ ids: [TaskID], from number: Int64) async {
        if !ids.isEmpty {
            log(
                .warning, "the tasks of another gateway are taken over",
                [("replica", "\(number)"), ("tasks", "\(ids.count)")])
        }
        while true {
            do {
                return try await Recovery(tasks: tasks).takeOver(Set(ids), from: number)
            } catch {
                log(.error, "another gateway's tasks could not be taken over yet", [("reason", "\(error)")])
                guard await tasks.background.sleep(for: Self.patience) else { return }
            }
        }
    }

    /// Follows a task of this gateway that another one has changed.
    private func catchUp(with id: TaskID) async {
        guard let record = try? await tasks.store.task(id), !record.isForeign else { return }
        if record.content == nil { tasks.resends?.wasRead(elsewhere: id) }
        tasks.ledger.follow(record)
    }

    private func log(_ level: GatewayEventLevel, _ message: StaticString, _ details: [(StaticString, String)]) {
        tasks.caller.observer.event(level, message, details)
    }
}
