internal import Hashing

/// The creates whose answers were not read, in an SQL database.
struct SQLResends<Pool: StorePool>: ResendStore {
    let pool: Pool

    func unread(server: String) async throws(StoreError) -> UnreadCreates? {
        try await pool.read { connection throws(StoreError) in
            let select = try connection.statement(.unread)
            select.bind(1, server)
            return try select.first { UnreadCreates(row: $0, from: 0) }
        }
    }

    func saveUnread(
        _ unread: @escaping @Sendable () -> UnreadTasks, server: String, at time: Int64
    ) async throws(StoreError) {
        try await pool.write { connection throws(StoreError) in
            let keep = try connection.statement(.keepUnread)
            keep.bind(1, server)
            let unread = unread()
            keep.bind(2, TaskID.bytes(unread.all + [.none] + unread.open))
            keep.bind(3, time)
            try keep.execute()
        }
    }

    func creates(
        elsewhere tenant: String, content: ContentDigest, since time: Int64, suspects: Set<Int64>
    ) async throws(StoreError) -> [ForeignCreate] {
        try await pool.read { connection throws(StoreError) in
            let select = try connection.statement(.foreignCreates)
            select.bind(1, tenant)
            select.bind(2, content)
            select.bind(3, time)
            return try select.rows { row in
                ForeignCreate(task: row.taskID(0), row: row.integer(1), state: .init(row: row, suspects))
            }
        }
    }

    func forgetContent(of task: TaskID) async throws(StoreError) {
        try await pool.write(.synced, .task(task)) { connection throws(StoreError) in
            let forget = try connection.statement(.forgetContent)
            forget.bind(1, task)
            try forget.execute()
            try connection.announce(task)
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

extension ForeignCreate.State {
    /// What was read is in no list of unread creates. What was written after the list is in none yet.
    fileprivate init(row: some StoreStatement, _ suspects: Set<Int64>) {
        let isSuspect = suspects.contains(row.integer(2)) || row.integer(5) == 0
        let known = row.isNull(3) ? nil : UnreadCreates(row: row, from: 3)
        let task = row.taskID(0)
        if let known, !known.tasks.contains(task), row.integer(1) <= known.writtenThrough {
            self = .read
        } else {
            self = isSuspect || known?.open.contains(task) ?? false ? .open : .answering
        }
    }
}

extension UnreadCreates {
    /// Reads two columns from `first` on. No task's id separates all creates from the open ones.
    fileprivate init(row: some StoreStatement, from first: Int32) {
        let lists = TaskID.list(row.bytes(first + 1)).split(
            separator: .none, maxSplits: 1, omittingEmptySubsequences: false)
        self.init(
            writtenThrough: row.integer(first), tasks: Array(lists[0]),
            open: Set(lists.count > 1 ? Array(lists[1]) : []))
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
