/// The creates whose answers were not read, in an SQL database.
struct SQLResends<Pool: StorePool>: ResendStore {
    let pool: Pool

    func unread(server: String) async throws(StoreError) -> UnreadCreates? {
        try await pool.read { connection throws(StoreError) in
            let select = try connection.statement(.unread)
            select.bind(1, server)
            return try select.first { UnreadCreates(writtenThrough: $0.integer(0), tasks: TaskID.list($0.bytes(1))) }
        }
    }

    func saveUnread(
        _ unread: @escaping @Sendable () -> [TaskID], server: String, at time: Int64
    ) async throws(StoreError) {
        try await pool.write { connection throws(StoreError) in
            let keep = try connection.statement(.keepUnread)
            keep.bind(1, server)
            keep.bind(2, TaskID.bytes(unread()))
            keep.bind(3, time)
            try keep.execute()
        }
    }

    func creates(leftBy unread: UnreadCreates?, limit: Int) async throws(StoreError) -> [TaskRecord] {
        try await pool.read { connection throws(StoreError) in
            var records: [TaskRecord] = []
            for id in Set(unread?.tasks ?? []) {
                if let record = try connection.tasks.record(id), record.content != nil { records.append(record) }
            }
            let later = try connection.statement(.createsAfter)
            later.bind(1, unread?.writtenThrough ?? 0)
            later.bind(2, limit)
            let known = Set(records.map(\.id))
            let others = try later.rows(TaskRecord.init(row:)).filter { !known.contains($0.id) }
            return (records + others).sorted { $0.id < $1.id }
        }
    }
}

extension TaskID {
    /// Encodes each id as 16 bytes, as in the store's columns.
    fileprivate static func bytes(_ ids: [TaskID]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(16 * ids.count)
        for id in ids {
            for half in [id.high, id.low] {
                for shift in stride(from: 56, through: 0, by: -8) {
                    bytes.append(UInt8(truncatingIfNeeded: half >> shift))
                }
            }
        }
        return bytes
    }

    /// Decodes consecutive ids of 16 bytes each.
    fileprivate static func list(_ bytes: [UInt8]) -> [TaskID] {
        stride(from: 0, to: bytes.count - bytes.count % 16, by: 16).map { start in
            let halves = [start, start + 8].map { bytes[$0..<$0 + 8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
            return TaskID(high: halves[0], low: halves[1])
        }
    }
}
