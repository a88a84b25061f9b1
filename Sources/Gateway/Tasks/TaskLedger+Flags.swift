internal import Base
internal import TaskStore

/// Flags that call the operator's attention to a task.
extension TaskLedger {
    /// Flags a create as unknown once it has been open for a day, even if a look-up may still settle it.
    func flagIfOld(_ id: TaskID) async {
        guard let record = try? await store.task(id), record.upstreamID == nil, record.flags.isEmpty else { return }
        let age = clock.age(since: record.createdAt)
        if age >= WatchSchedule.stuckAfter { _ = await flag(id, .unknown) }
    }

    /// Flags a task, and retries for as long as the store is unavailable.
    func flagWithRetry(_ id: TaskID, _ flags: TaskFlags) async {
        while await !flag(id, flags) {
            guard await background.sleep(for: .seconds(5)) else { return }
        }
    }

    /// Flags a task.
    /// - Returns: false if the store is unavailable.
    func flag(_ id: TaskID, _ flags: TaskFlags) async -> Bool {
        do {
            try await store.flag(id, flags)
            return true
        } catch {
            if error.code == .notFound { return true }
            couldNotRecord("a task that an operator should look at could not be flagged", id, error)
            return false
        }
    }
}
