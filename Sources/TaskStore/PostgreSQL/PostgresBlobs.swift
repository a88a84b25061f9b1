internal import Base
internal import PostgreSQL

/// The bodies in a PostgreSQL database.
struct PostgresBlobs: BlobStore {
    let threads: PostgresThreads

    func write(_ blob: Blob, _ body: [ByteSlice], within bounds: BlobTotal) async throws(StoreError) -> Bool {
        try await perform { connection throws(PostgresError) in try connection.write(blob, body, within: bounds) }
    }

    func read(_ kind: BlobKind, _ name: String, holding: (any Sendable)?) async throws(StoreError) -> Bytes? {
        try await perform { connection throws(PostgresError) in try connection.read(kind, name, holding: holding) }
    }

    func find(_ kind: BlobKind, _ name: String) async throws(StoreError) -> StoredBlob? {
        try await perform { connection throws(PostgresError) in try connection.find(kind, name) }
    }

    func list(_ kind: BlobKind, owner: String?) async throws(StoreError) -> [StoredBlob] {
        try await perform { connection throws(PostgresError) in try connection.list(kind, owner: owner) }
    }

    func total(_ kind: BlobKind, _ share: BlobShare) async throws(StoreError) -> BlobTotal {
        try await perform { connection throws(PostgresError) in try connection.total(kind, share) }
    }

    func remove(_ kind: BlobKind, _ names: [String]) async throws(StoreError) {
        try await perform { connection throws(PostgresError) in try connection.remove(kind, names) }
    }

    func expire(_ kind: BlobKind, createdBefore: Int64, tasksEndedBefore: Int64) async throws(StoreError) -> Int {
        try await perform { connection throws(PostgresError) in
            try connection.expire(kind, createdBefore: createdBefore, tasksEndedBefore: tasksEndedBefore)
        }
    }

    func removeSent(_ kind: BlobKind, _ name: String?) async throws(StoreError) -> Int {
        try await perform { connection throws(PostgresError) in try connection.removeSent(kind, name) }
    }

    private func perform<Value: Sendable>(
        _ body: @escaping @Sendable (PostgresBlobConnection) throws(PostgresError) -> Value
    ) async throws(StoreError) -> Value {
        try await Work.perform(in: threads.blobs, .synced, .other) { connection throws(StoreError) in
            do throws(PostgresError) {
                return try body(connection)
            } catch {
                throw StoreError(error)
            }
        }
    }
}

/// A thread that reads and writes bodies, with a connection that is opened when it is first needed, and again after an
/// error.
final class PostgresBlobThread {
    private let server: PostgresServer
    private var connection: PostgresBlobConnection?

    init(_ server: PostgresServer) { self.server = server }

    /// Runs until the queue is closed and empty.
    func run(_ queue: WorkQueue<PostgresBlobConnection>) {
        var batch: [Work<PostgresBlobConnection>] = []
        // One at a time, because the other threads may be free before this one is.
        while queue.take(&batch, limit: 1) == .work {
            for work in batch { perform(work) }
            batch.removeAll(keepingCapacity: true)
        }
    }

    private func perform(_ work: Work<PostgresBlobConnection>) {
        let hadConnection = connection != nil
        var failure = attempt(work)
        // A connection that was open may have been lost since its last use, and all of this may be repeated.
        if failure != nil, hadConnection { failure = attempt(work) }
        work.finish(failure)
    }

    private func attempt(_ work: Work<PostgresBlobConnection>) -> StoreError? {
        do throws(PostgresError) {
            let open = if let connection { connection } else { try PostgresBlobConnection(server) }
            let failure = work.run(on: open)
            connection = failure == nil ? open : nil
            return failure
        } catch {
            connection = nil
            return StoreError(error)
        }
    }
}
