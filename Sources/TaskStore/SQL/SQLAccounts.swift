/// What was learned about the upstream accounts, in an SQL database.
struct SQLAccounts<Pool: StorePool>: AccountStore {
    let pool: Pool

    /// Separates the names of models, which contain no line breaks.
    private static var separator: Character { "\n" }

    func states() async throws(StoreError) -> [AccountStateRecord] {
        try await pool.read { connection throws(StoreError) in
            try connection.statement(.accounts).rows { row in
                var state = AccountStateRecord(
                    name: row.text(0), disabledBy: row.optionalInteger(1).map(Int.init), reason: row.optionalText(2),
                    refusedModels: row.text(3).split(separator: Self.separator).map(String.init),
                    learnedLimit: row.optionalInteger(4).map(Int.init),
                    hasLookup: row.optionalInteger(5).map { $0 != 0 },
                    hasUniqueIDs: row.optionalInteger(7).map { $0 != 0 },
                    identity: row.optionalInteger(8), api: row.optionalText(9),
                    wasReached: row.integer(10) != 0, problem: row.optionalText(11), updatedAt: row.integer(6))
                state.isForeign = row.integer(12) != 0
                return state
            }
        }
    }

    func keep(_ state: AccountStateRecord) async throws(StoreError) {
        try await pool.write { connection throws(StoreError) in
            let keep = try connection.statement(.keepAccount)
            keep.bind(1, state.name)
            keep.bind(2, state.disabledBy.map(Int64.init))
            keep.bind(3, state.reason)
            keep.bind(4, state.refusedModels.joined(separator: String(Self.separator)))
            keep.bind(5, state.learnedLimit.map(Int64.init))
            keep.bind(6, state.hasLookup.map { $0 ? 1 : 0 })
            keep.bind(7, state.updatedAt)
            keep.bind(8, state.hasUniqueIDs.map { $0 ? 1 : 0 })
            keep.bind(9, state.identity)
            keep.bind(10, state.api)
            keep.bind(11, state.wasReached ? 1 : 0)
            keep.bind(12, state.problem)
            try keep.execute()
        }
    }
}
