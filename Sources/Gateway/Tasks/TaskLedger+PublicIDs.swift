internal import TaskStore

/// The ids that clients are told for open tasks. An id that a client was told always finds its task and stays the
/// task's public id, even if the store cannot record it yet.
extension TaskLedger {
    /// Makes the id of an open task public, because a client is told it: the gateway's own id, or Kling's if the task
    /// was found in the meantime.
    func publishID(of id: TaskID) async -> String {
        // An acceptance that is written from here on makes the gateway's id public, whatever becomes of this write.
        unsavedPublicIDs.announce(id)
        do {
            let record = try await store.show(id, at: clock.now)
            unsavedPublicIDs.remove(id)
            return record.publicID ?? id.description
        } catch {
            // An acceptance may have been written before, and reading works without the lock that writing needs.
            if let record = try? await store.task(id), let publicID = record.publicID {
                unsavedPublicIDs.remove(id)
                return publicID
            }
            await unsavedPublicIDs.insert(id)
            couldNotRecord("an open task could not be recorded", id, error)
            return id.description
        }
    }

    /// Makes the gateway's id of an open create its public id, because the answer to a query tells it to the client.
    /// - Returns: nil if the task has ended without any client knowing of it.
    /// - Throws: if this cannot be recorded and the task was not sent yet: such a task may still disappear.
    func publishID(of record: TaskRecord) async throws(StoreError) -> TaskRecord? {
        if record.publicID != nil { return record }
        unsavedPublicIDs.announce(record.id)
        do {
            let shown = try await store.show(record.id, at: clock.now)
            unsavedPublicIDs.remove(record.id)
            return shown
        } catch {
            if error.code == .stale || record.account == nil { unsavedPublicIDs.remove(record.id) }
            if error.code == .stale { return nil }
            guard record.account != nil else { throw error }
            if let accepted = try? await store.task(record.id), accepted.publicID != nil {
                unsavedPublicIDs.remove(record.id)
                return accepted
            }
            await unsavedPublicIDs.insert(record.id)
            return record
        }
    }

    /// Records in the store what a client was told, before the task ends: otherwise it would disappear.
    func savePublicID(of id: TaskID) async throws(StoreError) {
        guard unsavedPublicIDs.contains(id) else { return }
        do {
            _ = try await store.show(id, at: clock.now)
        } catch {
            if error.code != .stale { throw error }
        }
    }
}
