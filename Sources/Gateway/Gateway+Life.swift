public import Base
internal import TaskStore

/// The gateway's beginning and end.
extension Gateway {
    /// Takes up what a stop or a crash has left, and begins the work that no client waits for. Serve after that.
    /// - Throws: why the store or the spool cannot be read.
    public func start() async throws {
        try await Origin.$current.withValue(.recovery) { try await takeUp() }
        tasks.watcher.start()
        tasks.courier?.start()
        Origin.$current.withValue(.upkeep) {
            Upkeep(tasks: tasks, retention: options.retention, assets: assets).start()
        }
    }

    private func takeUp() async throws {
        try await tasks.clock.resume(from: tasks.store)
        // Before tasks go on: what ends from now on is told.
        try await tasks.hosted?.recover(from: tasks.store)
        try await tasks.recover()
    }

    /// Ends the work that no client waits for; what is left undone is found in the store by the next start. Deliveries
    /// under way have until `deadline`. Call it when nothing is served any more.
    public func stop(by deadline: MonotonicTime) async {
        await tasks.watcher.stop()
        await tasks.background.stop()
        await tasks.resends?.stop()
        await tasks.courier?.stop(grace: max(.zero, deadline - .now))
        pictures.stop()
        try? await tasks.store.keep(clockMark: tasks.clock.believed)
    }
}
