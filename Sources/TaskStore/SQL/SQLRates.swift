/// The rates in an SQL database.
struct SQLRates<Pool: StorePool>: RateStore {
    let pool: Pool

    func change<Outcome: Sendable>(
        _ names: [String], _ body: @escaping @Sendable ([RateState?], Int64) -> (states: [RateState?], outcome: Outcome)
    ) async throws(StoreError) -> Outcome {
        let subject = WriteSubject(locks: names.map { .rate($0) })
        return try await pool.write(.synced, subject) { connection throws(StoreError) in
            var (states, now): ([RateState?], Int64) = ([], 0)
            let select = try connection.statement(.rate)
            for name in names {
                try connection.lock(.rate(name))
                select.bind(1, name)
                let found = try select.first { row in
                    now = max(now, row.integer(2))
                    return row.isNull(0) ? nil : RateState(parts: row.integer(0), filledAt: row.integer(1))
                }
                states.append(found ?? nil)
            }
            let new = body(states, now)
            let keep = try connection.statement(.keepRate)
            for case (let name, let state?) in zip(names, new.states) {
                keep.bind(1, name)
                keep.bind(2, state.parts)
                keep.bind(3, state.filledAt)
                try keep.execute()
            }
            return new.outcome
        }
    }
}
