internal import Base
internal import TaskStore

/// The creates whose outcomes a crash has left open, until they are looked up.
///
/// A power cut may have undone the record of an acceptance whose client was already told Kling's id. Until the look-up
/// has restored it, a query by that id must not be answered with "no such task".
final class CreatesOpenAtStart: Sendable {
    private let tenants = Lock<[TaskID: String]>([:])

    /// Adds the creates that the last process has left open at accounts that can be asked for them.
    func add(_ records: [TaskRecord]) {
        tenants.withLock { tenants in for record in records { tenants[record.id] = record.tenant } }
    }

    /// Removes a create whose outcome is known, or left to the operator.
    func remove(_ id: TaskID) {
        tenants.withLock { if !$0.isEmpty { $0[id] = nil } }
    }

    /// Whether one of the tenant's creates is still being looked up.
    func hasAny(of tenant: String) -> Bool { tenants.withLock { $0.values.contains(tenant) } }
}
