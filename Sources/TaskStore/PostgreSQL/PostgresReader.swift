internal import PostgreSQL

/// A thread that reads, with a connection that is opened again after it is lost.
final class PostgresReader {
    private let server: PostgresServer
    private let purpose: String
    private var connection: PostgresConnection?

    init(_ server: PostgresServer, _ purpose: String) { (self.server, self.purpose) = (server, purpose) }

    /// Runs until the queue is closed and empty.
    func run(_ queue: WorkQueue<PostgresConnection>) {
        // Before clients take up all descriptors.
        _ = try? open()
        var batch: [Work<PostgresConnection>] = []
        while queue.take(&batch, limit: 8) == .work {
            for work in batch { perform(work) }
            batch.removeAll(keepingCapacity: true)
        }
    }

    private func perform(_ work: Work<PostgresConnection>) {
        let hadConnection = connection != nil
        var failure = attempt(work)
        // A connection that was open may have been lost since the last read, and reading again is harmless.
        if failure != nil, hadConnection, connection == nil { failure = attempt(work) }
        work.finish(failure)
    }

    /// - Returns: the error if the database is the reason for it.
    private func attempt(_ work: Work<PostgresConnection>) -> StoreError? {
        do throws(StoreError) {
            let connection = try open()
            let failure = work.run(on: connection)
            if connection.transaction.isSpoiled {
                try connection.rollBack()
                return failure
            }
            try connection.endReads()
            return nil
        } catch {
            connection = nil
            return error
        }
    }

    private func open() throws(StoreError) -> PostgresConnection {
        if let connection { return connection }
        do throws(PostgresError) {
            let session = try server.connect(purpose, timeout: server.options.readTimeout)
            try session.startPipeline()
            let opened = PostgresConnection(session)
            connection = opened
            return opened
        } catch {
            throw StoreError(error)
        }
    }
}
