extension SQLiteTaskStore {
    public func clockMark() async throws(StoreError) -> Int64? {
        try await read { connection throws(StoreError) in
            try connection.statement(.clockMark).first { $0.integer(0) }
        }
    }

    public func keep(clockMark time: Int64) async throws(StoreError) {
        try await write { connection throws(StoreError) in
            let keep = try connection.statement(.keepClockMark)
            keep.bind(1, time)
            try keep.execute()
        }
    }
}
