internal import Base
internal import TaskStore

extension TaskLedger {
    /// Takes the slots of all unfinished tasks of keys and tenants that have a limit.
    /// - Parameter batch: how many tasks are read at once.
    func countRunningTasks(_ limits: RunningLimits, batch: Int) async throws(StoreError) {
        var last: TaskID?
        repeat {
            let records = try await store.unfinished(after: last, limit: batch)
            for record in records {
                let age = clock.age(since: record.createdAt)
                guard running.restore(record, limits, startedAt: .now + (.zero - age)) else { continue }
                // It may have ended since it was read, and then nothing else would free its slot.
                if try await store.task(record.id)?.state.isFinal != false { running.finish(record.id) }
            }
            last = records.count == batch ? records.last?.id : nil
        } while last != nil
    }
}
