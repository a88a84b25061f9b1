extension TaskStore {
    /// Ends a task that Kling never had: invisibly if no client knows of it, otherwise as failed with the given reason.
    /// If Kling turns out to have accepted it in the meantime, the task continues.
    /// - Parameters:
    ///   - time: milliseconds since 1970.
    ///   - answer: what its `Idempotency-Key` answers from now on; nil frees the key.
    ///   - entry: is added to the audit log with the change.
    /// - Returns: the record as it is now.
    /// - Throws: `notFound`.
    public func endUnmade(
        _ id: TaskID, because reason: String, at time: Int64, answer: StoredAnswer? = nil,
        auditing entry: AuditEntry? = nil
    ) async throws(StoreError) -> TaskRecord {
        let recording: any TaskStore = entry.map(audited) ?? self
        do throws(StoreError) {
            try await recording.refuse(id, reason: reason, at: time, answer: answer)
            guard let record = try await task(id) else { throw StoreError(.notFound, "no task \(id)") }
            return record
        } catch  where error.code == .stale {
            // A client that knows a job knows all of its tasks, even one that has no public id yet.
            _ = try? await show(id, at: time)
            let observation = Observation(
                state: .failed, statusWord: reason, answer: nil, at: time, isIgnoredOnceAccepted: true)
            return try await recording.observe(id, observation)
        }
    }
}
