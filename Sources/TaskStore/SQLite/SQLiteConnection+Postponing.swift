/// Rows of tasks that are kept back: see ``UnwrittenTasks``. Any statement that could see or touch them has them written
/// first.
extension SQLiteConnection {
    func postpone(_ task: TaskRecord) throws(StoreError) -> Int64? {
        guard !isAtomic, task.mayBePostponed, let insert = logged(.insertTask) else { return nil }
        if unwritten.isFull { try writePostponed() }
        if unwritten.nextRow == nil {
            unwritten.begin(at: (try statement(.lastRow).first { $0.integer(0) } ?? 0) + 1)
        }
        task.bindIntent(to: insert)
        insert.end(succeeded: true)
        return unwritten.add(task)
    }

    func postpone(_ task: TaskRecord, _ query: Query, _ row: Int64) -> Bool {
        guard query.mayBePostponed, unwritten.replace(row, with: task), let update = logged(query) else { return false }
        update.bind(1, row)
        task.bindChange(query, to: update)
        update.end(succeeded: true)
        return true
    }

    /// Writes the rows that were kept back.
    /// - Parameter isSettled: only the first ones, up to a task that is still an intent.
    /// - Throws: the error that has ended the transaction.
    func writePostponed(ifSettled isSettled: Bool = false) throws(StoreError) {
        while let (task, row) = unwritten.takeFirst(ifSettled: isSettled) {
            do throws(StoreError) {
                let insert = try statement(.insertWholeTask)
                task.bindWhole(to: insert)
                insert.bind(24, row)
                try insert.execute()
            } catch {
                undo()
                throw error
            }
        }
    }
}

extension TaskRecord {
    /// Whether its row alone says everything about it, and no other row may rule it out.
    fileprivate var mayBePostponed: Bool {
        intent.externalTaskID == nil && intent.callbackURL == nil && intent.idempotencyKey == nil && intent.job == nil
    }
}

extension Query {
    /// Whether an update sets no other columns than ``insertWholeTask``.
    fileprivate var mayBePostponed: Bool { self == .nameTask || self == .assignTask || self == .advanceTask }

    /// Whether the statement does the same before the rows that are kept back are written: it changes another row, or
    /// has nothing to do with tasks. All others read tasks, make new ones, or end the transaction.
    var leavesTasks: Bool {
        switch self {
        case .begin, .dataVersion, .lastRow, .insertWholeTask: true
        default: mayBePostponed
        }
    }
}
