internal import Base
internal import PostgreSQL

/// The connections to a store's database. A write is committed, and the commit on disk, when it returns.
struct PostgresPool: StorePool {
    private let threads: PostgresThreads
    private let lastCheck: Lock<LastCheck>
    /// Is added to the audit log with each write; nil: nothing is.
    private var audit: AuditEntry?

    init(
        _ url: String, _ options: PostgresTaskStore.Options, _ callbacks: StepCallbacks, servingAs name: String?
    ) throws(StoreError) {
        let server = PostgresServer(url: url, options: options)
        try server.prepare()
        lastCheck = Lock(LastCheck(interval: options.checkInterval))
        threads = try PostgresThreads(server, callbacks, servingAs: name)
    }

    var replicas: (any ReplicaStore)? { threads.replica }

    func audited(_ entry: AuditEntry) -> PostgresPool {
        var pool = self
        pool.audit = entry
        return pool
    }

    func write(
        _ durability: Durability, _ subject: @autoclosure () -> WriteSubject, _ wait: StoreWait,
        _ body: @escaping StoreBody<PostgresConnection, Void>
    ) {
        guard let audit else { return threads.writes.append(Work(durability, subject(), wait, body)) }
        threads.writes.append(
            Work(durability, subject(), wait) { connection throws(StoreError) in
                try body(connection)
                try connection.append(audit)
            })
    }

    func read<Value: Sendable>(
        _ body: @escaping StoreBody<PostgresConnection, Value>
    ) async throws(StoreError) -> Value {
        try await Work.perform(in: threads.reads, .written, .other, body)
    }

    func find<Value: Sendable>(
        _ body: @escaping StoreBody<PostgresConnection, Value?>
    ) async throws(StoreError) -> Value? {
        try await read(body)
    }

    func readAtOnce<Value: Sendable>(
        _ body: @escaping StoreBody<PostgresConnection, Value>
    ) async throws(StoreError) -> Value {
        try await Work.perform(in: threads.keyReads, .written, .other, body)
    }

    var blobs: (any BlobStore)? { PostgresBlobs(threads: threads) }

    func check() async throws(StoreError) {
        try await check(lastCheck) { () throws(StoreError) in
            try await write { connection throws(StoreError) in connection.statement(.probe).execute() }
        }
    }

    func close() async { await threads.close() }

    var statistics: StoreStatistics { threads.statistics }
}

/// The threads of a pool. They end when this is closed or no longer used.
final class PostgresThreads: Sendable {
    let writes: WorkQueue<PostgresConnection>
    let reads: WorkQueue<PostgresConnection>
    /// For keys, so that a revoked one is noticed at once, however much else is read.
    let keyReads: WorkQueue<PostgresConnection>
    /// This process's membership among those that serve; nil if it does not.
    let replica: PostgresReplica?
    /// For bodies, so that a large one holds up no record.
    let blobs: WorkQueue<PostgresBlobConnection>
    private let counts = CommitCounts()
    private let ended = ThreadGroup()
    private let membershipEnded = ThreadGroup()

    init(_ server: PostgresServer, _ callbacks: StepCallbacks, servingAs name: String?) throws(StoreError) {
        let capacity = server.options.queueCapacity
        (writes, reads, keyReads) = (.init(capacity: capacity), .init(capacity: capacity), .init(capacity: capacity))
        blobs = .init(capacity: capacity)
        if let name { replica = try PostgresReplica(joining: server, as: name, reads) } else { replica = nil }
        let server = replica?.membership ?? server
        if let replica {
            try replica.settle()
            try start("replica", membershipEnded) { replica.run() }
        }
        try start("store-writer") { [writes, counts] in
            let commits = PostgresCommits(server, callbacks, counts)
            WriteLoop.run(writes, commits, gathering: server.options.gathering)
        }
        for number in 0..<server.options.readers {
            try start("store-reader-\(number)") { [reads] in PostgresReader(server, "reader").run(reads) }
        }
        try start("key-reader") { [keyReads] in PostgresReader(server, "key reader").run(keyReads) }
        for number in 0..<server.options.blobThreads {
            try start("store-bodies-\(number)") { [blobs] in PostgresBlobThread(server).run(blobs) }
        }
    }

    deinit {
        closeQueues()
        replica?.stop()
    }

    private func start(
        _ name: String, _ group: ThreadGroup? = nil, _ body: @escaping @Sendable () -> Void
    ) throws(StoreError) {
        let group = group ?? ended
        group.enter()
        do throws(StoreError) {
            try StoreThread.start(name) {
                body()
                group.leave()
            }
        } catch {
            group.leave()
            closeQueues()
            throw error
        }
    }

    private func closeQueues() {
        for queue in [keyReads, reads, writes] { queue.close() }
        blobs.close()
    }

    func close() async {
        closeQueues()
        await ended.waitForAll()
        // Last, so that nobody takes over what is still being written.
        replica?.stop()
        await membershipEnded.waitForAll()
    }

    var statistics: StoreStatistics {
        var statistics = counts.values
        statistics.waitingWrites = writes.count
        statistics.waitingReads = reads.count + keyReads.count
        return statistics
    }
}
