internal import Base
internal import TaskStore

/// That a client was told the gateway's id of an open task, where the store does not say so.
enum Telling: Sendable {
    /// It was, while the store could not be written to.
    case done
    /// It may have been, by a server that has crashed.
    case possible
}

/// The ids that clients are told of open tasks. An id that was told finds its task for ever, and stays the task's public one,
/// even if that cannot be kept yet.
extension TryOnTasks {
    /// The id under which a client is told of an open task: Kling's own, if the task was found by other ways just now.
    func shown(_ id: TaskID) async -> String {
        do {
            return try await store.show(id, at: clock.now).publicID ?? id.description
        } catch {
            unkept.withLock { $0[id] = .done }
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
            unkept.withLock { $0[record.id] = .done }
            return record
        }
    }

    /// Whether a client may know an open task by the gateway's id although its record does not say so.
    func mayBeTold(_ id: TaskID) -> Bool { unkept.withLock { $0[id] != nil } }

    /// Nobody knows which ids a server that has crashed told of the creates that it has left open.
    func recoverTellings(_ open: [TaskRecord]) {
        unkept.withLock { unkept in for record in open { unkept[record.id] = .possible } }
    }

    /// Has the store say what a client was told, before the task ends: it must not end unseen.
    func keepTelling(_ id: TaskID) async throws(StoreError) {
        guard unkept.withLock({ $0[id] }) == .done else { return }
        do {
            _ = try await store.show(id, at: clock.now)
        } catch {
            if error.code != .stale { throw error }
        }
    }

    /// The record says all that clients know, or they know nothing.
    func forgetTelling(_ id: TaskID) {
        unkept.withLock { if !$0.isEmpty { $0[id] = nil } }
    }
}
