/// The last recorded time in an SQL database.
struct SQLClock<Pool: StorePool>: ClockStore {
    let pool: Pool

    func mark() async throws(StoreError) -> Int64? {
        try await pool.read { connection throws(StoreError) in
            try connection.statement(.clockMark).first { $0.integer(0) }
        }
    }

    func keep(_ mark: Int64) async throws(StoreError) {
        try await pool.write { connection throws(StoreError) in
            let keep = try connection.statement(.keepClockMark)
            keep.bind(1, mark)
            try keep.execute()
        }
    }
}
