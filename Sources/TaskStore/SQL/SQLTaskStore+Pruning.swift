extension SQLTaskStore {
    /// The maximum number of rows that one write removes.
    private static var pruned: Int { 100 }

    func prune(
        tasksFinishedBefore tasks: Int64, deliveriesFinishedBefore deliveries: Int64,
        idempotencyKeysCreatedBefore keys: Int64, limit: Int
    ) async throws(StoreError) -> Int {
        var count = 0
        let steps = [
            (Query.pruneClaims, keys), (.pruneDeliveries, deliveries), (.pruneJobs, tasks), (.pruneTasks, tasks),
        ]
        for (query, time) in steps {
            var isDone = false
            while !isDone, count < limit {
                let batch = min(Self.pruned, limit - count)
                let gone = try await pool.write { connection throws(StoreError) in
                    try Self.prune(query, before: time, limit: batch, connection)
                }
                count += gone
                isDone = gone < batch
            }
        }
        return count
    }

    private static func prune(
        _ query: Query, before time: Int64, limit: Int, _ connection: Pool.Connection
    ) throws(StoreError) -> Int {
        let delete = try connection.statement(query)
        delete.bind(1, time)
        delete.bind(2, limit)
        // A task that ended before `time` was created before it too, so only ids from before that time are searched.
        if query == .pruneTasks { delete.bind(3, TaskID.first(at: time)) }
        return try delete.executeCounting()
    }
}
