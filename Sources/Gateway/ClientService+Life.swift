public import Base
internal import TaskStore

/// Starts and stops the gateway.
extension ClientService {
    /// Resumes what a shutdown or a crash has left unfinished, and starts the background work. Call it before the
    /// gateway serves requests.
    /// - Throws: why the store or the spool cannot be read.
    public func start() async throws {
        try await Origin.$bound.withValue(.recovery) { try await recover() }
        if let replicas = tasks.store.replicas {
            ReplicaDuties(tasks: tasks, access: access, whenReplaced: options.whenReplaced).start(replicas)
        }
        tasks.ledger.watcher.start()
        tasks.ledger.callbackDelivery?.start()
        Origin.$bound.withValue(.upkeep) {
            let maintenance = Maintenance(tasks: tasks, retention: options.retention, assets: uploads)
            maintenance.start()
            access.whenLimited { await maintenance.countRunningTasks() }
        }
    }

    private func recover() async throws {
        try await tasks.clock.resume(from: tasks.store)
        // Before tasks continue, because it must be told of those that end.
        try await tasks.ledger.hosted?.recover(from: tasks.store)
        try await Recovery(tasks: tasks).run()
    }

    /// Stops the background work; what is left undone is found in the store at the next start. Deliveries in flight
    /// have until `deadline`. Call it after the server has stopped.
    public func stop(by deadline: MonotonicTime) async {
        access.whenLimited {}
        await tasks.ledger.watcher.stop()
        await tasks.background.stop()
        await tasks.resends?.stop()
        await tasks.ledger.callbackDelivery?.stop(grace: max(.zero, deadline - .now))
        pictures.stop()
        try? await tasks.store.clock.keep(tasks.clock.believed)
    }
}
