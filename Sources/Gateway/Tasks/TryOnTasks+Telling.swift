internal import TaskStore

/// The ids that clients are told of open tasks. An id that was told finds its task for ever, and stays the task's public one,
/// even if that cannot be kept yet.
extension TryOnTasks {
    /// The id under which a client is told of an open task: Kling's own, if the task was found by other ways just now.
    func shown(_ id: TaskID) async -> String {
        do {
            return try await store.show(id, at: clock.now).publicID ?? id.description
        } catch {
            told.insert(id)
            couldNotRecord("an open task could not be recorded", id, error)
            return id.description
        }
    }

    /// To answer a query names the task: one whose create is still open gets the gateway's id for its public one.
    /// - Returns: nil if it has ended unseen.
    /// - Throws: if that cannot be kept, and the task was not sent yet: it may end unseen.
    func shown(_ record: TaskRecord) async throws(StoreError) -> TaskRecord? {
        if record.publicID != nil { return record }
        do {
            return try await store.show(record.id, at: clock.now)
        } catch {
            if error.code == .stale { return nil }
            guard record.account != nil else { throw error }
            told.insert(record.id)
            return record
        }
    }

    /// Has the store say what a client was told, before the task ends: it must not end unseen.
    func keepTelling(_ id: TaskID) async throws(StoreError) {
        guard told.contains(id) else { return }
        do {
            _ = try await store.show(id, at: clock.now)
        } catch {
            if error.code != .stale { throw error }
        }
    }
}
