internal import Base
internal import CPostgreSQL
internal import Glibc

/// A connection to PostgreSQL, in pipeline mode: statements are sent without waiting for the ones before.
///
/// Belongs to one thread at a time, which its functions block until the server answers or the timeout passes. After an
/// error, the server skips what follows until ``recover()``. After a lost connection, every function throws.
@safe public final class PostgresSession {
    /// What the server was sent and has not answered.
    private enum Sent {
        /// A statement to prepare under this name.
        case preparation(String)
        case run
    }

    // Owns the connection, which no other object refers to.
    private let connection: OpaquePointer
    private let pq: libpq
    private let timeout: Duration
    private var sent: [Sent] = []
    private var prepared: Set<String> = []
    /// Why the connection cannot be used any more.
    private var loss: PostgresError?

    /// Connects. This blocks the thread for up to 5 s for each address that the URL names. A host that is gone is noticed
    /// within 6 s.
    /// - Parameters:
    ///   - url: as libpq takes it: `postgresql://user@host:port/database?parameter=value`. What it does not name comes
    ///     from libpq's `PG*` variables, files and defaults.
    ///   - name: the session's `application_name`, unless the URL has one.
    ///   - timeout: how long to wait for the server's answers.
    /// - Throws: if the connection is refused. The message names the host, never a password.
    public init(_ url: String, name: String, timeout: Duration) throws(PostgresError) {
        pq = try Self.load()
        self.timeout = timeout
        // What comes later wins, so the URL may set all of these.
        let settings = [
            ("fallback_application_name", name), ("connect_timeout", "5"),
            ("tcp_user_timeout", "5000"), ("keepalives_idle", "3"), ("keepalives_interval", "1"),
            ("keepalives_count", "3"), ("target_session_attrs", "read-write"),
            ("client_encoding", "UTF8"), ("dbname", url),
        ]
        guard let connection = unsafe Self.connect(pq, settings) else {
            throw PostgresError("no memory for a connection")
        }
        unsafe self.connection = connection
        guard unsafe pq.PQstatus(connection) == libpq_connection_ok else {
            // `deinit` closes what was not opened too.
            throw unsafe PostgresError(Self.message(pq, connection))
        }
        unsafe libpq_ignore_notices(connection)
    }

    deinit { unsafe pq.PQfinish(connection) }

    /// The version of the server, such as 150018.
    public var serverVersion: Int { unsafe Int(pq.PQserverVersion(connection)) }

    /// Runs statements that take no values, and waits for them. Only before the first ``send(_:named:_:)``.
    /// - Returns: the value in the first column of the first row, as text.
    @discardableResult
    public func execute(_ sql: String) throws(PostgresError) -> String? {
        guard let raw = unsafe pq.PQexec(connection, sql) else { throw lose(unsafe Self.message(pq, connection)) }
        let result = unsafe PostgresResult(owning: raw, pq)
        guard result.status == libpq_command_ok || result.status == libpq_tuples_ok else { throw result.error }
        return result.count > 0 ? result.text(0, 0) : nil
    }

    // MARK: Pipeline

    /// From now on, statements are sent without waiting for the ones before.
    public func startPipeline() throws(PostgresError) {
        unsafe _ = pq.PQsetnonblocking(connection, 1)
        guard unsafe pq.PQenterPipelineMode(connection) == 1 else { throw lose(unsafe Self.message(pq, connection)) }
    }

    /// Sends a statement. What becomes of it is known after ``result()`` or ``sync()``.
    /// - Parameters:
    ///   - name: under which the server keeps the prepared statement for the next time; nil: it does not.
    ///   - values: of the same types for each run of a name.
    public func send(_ sql: String, named name: String?, _ values: [PostgresValue]) throws(PostgresError) {
        if let loss { throw loss }
        let name = name ?? ""
        if name.isEmpty || !prepared.contains(name) {
            let types = values.map(\.type)
            try check(unsafe pq.PQsendPrepare(connection, name, sql, Int32(types.count), types))
            sent.append(.preparation(name))
            if !name.isEmpty { prepared.insert(name) }
        }
        let isSent = unsafe EncodedValues(values).withPointers { count, addresses, lengths, formats in
            unsafe pq.PQsendQueryPrepared(connection, name, count, addresses, lengths, formats, 1)
        }
        try check(isSent)
        sent.append(.run)
    }

    /// Waits for everything that was sent.
    /// - Returns: the result of the statement that was sent last.
    /// - Throws: the error of the first one that failed.
    public func result() throws(PostgresError) -> PostgresResult {
        guard let last = try results().last else { throw PostgresError("nothing was sent", sqlState: "XX000") }
        return last
    }

    /// Waits for everything that was sent.
    /// - Returns: the results of the statements whose results were not read yet, in the order in which they were sent.
    /// - Throws: the error of the first one that failed.
    public func results() throws(PostgresError) -> [PostgresResult] {
        try check(unsafe pq.PQsendFlushRequest(connection))
        return try readAll()
    }

    /// Waits for everything that was sent, and ends the pipeline: a statement outside a transaction is committed.
    /// - Returns: as ``results()``.
    /// - Throws: the error of the first one that failed. The next statement that is sent runs again.
    @discardableResult
    public func sync() throws(PostgresError) -> [PostgresResult] {
        try check(unsafe pq.PQpipelineSync(connection))
        var results: [PostgresResult] = []
        var failure: PostgresError?
        do throws(PostgresError) { results = try readAll() } catch {
            if error.isConnectionLost { throw lose(error) }
            failure = error
        }
        // What was skipped because of the error.
        while !sent.isEmpty { _ = try? readNext() }
        try readSync()
        if let failure { throw failure }
        return results
    }

    /// Ends the pipeline after an error, and the transaction.
    /// - Throws: if the connection is lost.
    public func recover() throws(PostgresError) {
        do throws(PostgresError) { try sync() } catch { if error.isConnectionLost { throw lose(error) } }
        try send("ROLLBACK", named: "rollback", [])
        try sync()
    }

    /// Receives notifications, waiting for up to `time` for the first.
    public func notifications(within time: Duration) throws(PostgresError) -> [PostgresNotification] {
        if let loss { throw loss }
        var received = takeNotifications()
        if received.isEmpty, try poll(POLLIN, until: .now + time) {
            try consume()
            received = takeNotifications()
        }
        return received
    }

    private func takeNotifications() -> [PostgresNotification] {
        var received: [PostgresNotification] = []
        var (channel, payload): (UnsafePointer<CChar>?, UnsafePointer<CChar>?)
        while let notification = unsafe libpq_next_notification(connection, &channel, &payload) {
            if let channel = unsafe channel, let payload = unsafe payload {
                received.append(
                    unsafe PostgresNotification(channel: String(cString: channel), payload: String(cString: payload)))
            }
            unsafe pq.PQfreemem(notification)
        }
        return received
    }

    // MARK: Results

    /// Reads the results of everything that was sent.
    private func readAll() throws(PostgresError) -> [PostgresResult] {
        try flush()
        var results: [PostgresResult] = []
        while let what = sent.first {
            let result = try readNext()
            if case .run = what { results.append(result) }
        }
        return results
    }

    /// Reads the result of the oldest statement that was not answered yet.
    private func readNext() throws(PostgresError) -> PostgresResult {
        let what = sent.removeFirst()
        guard let result = try next(), try next() == nil else {
            throw lose(PostgresError("the server's answers are out of step"))
        }
        if result.status == libpq_command_ok || result.status == libpq_tuples_ok { return result }
        if case .preparation(let name) = what { prepared.remove(name) }
        if result.status == libpq_pipeline_aborted { throw PostgresError("skipped after an error", sqlState: "25P02") }
        throw result.error
    }

    private func readSync() throws(PostgresError) {
        guard let result = try next(), result.status == libpq_pipeline_sync else {
            throw lose(PostgresError("the server's answers are out of step"))
        }
    }

    /// Waits for the next result; nil at the end of a statement's results.
    private func next() throws(PostgresError) -> PostgresResult? {
        if let loss { throw loss }
        let deadline = MonotonicTime.now + timeout
        while unsafe pq.PQisBusy(connection) == 1 {
            guard try poll(POLLIN, until: deadline) else {
                throw lose(PostgresError("no answer from PostgreSQL within \(timeout)"))
            }
            try consume()
        }
        return unsafe pq.PQgetResult(connection).map { unsafe PostgresResult(owning: $0, pq) }
    }

    // MARK: The socket

    /// Sends everything that libpq has buffered. Answers that arrive meanwhile are read, so that the server never waits
    /// for room in the other direction.
    private func flush() throws(PostgresError) {
        let deadline = MonotonicTime.now + timeout
        while true {
            switch unsafe pq.PQflush(connection) {
            case 0: return
            case 1:
                guard try poll(POLLIN | POLLOUT, until: deadline) else {
                    throw lose(PostgresError("PostgreSQL took nothing for \(timeout)"))
                }
                try consume()
            default: throw lose(unsafe Self.message(pq, connection))
            }
        }
    }

    private func consume() throws(PostgresError) {
        guard unsafe pq.PQconsumeInput(connection) == 1 else { throw lose(unsafe Self.message(pq, connection)) }
    }

    /// Waits until the socket is ready.
    /// - Returns: false if it was not until the deadline.
    private func poll(_ events: Int32, until deadline: MonotonicTime) throws(PostgresError) -> Bool {
        var descriptor = pollfd(fd: unsafe pq.PQsocket(connection), events: Int16(events), revents: 0)
        while true {
            let left = max(.zero, deadline - .now)
            let code = unsafe Glibc.poll(&descriptor, 1, Int32(left / .milliseconds(1)) + 1)
            if code > 0 { return true }
            if code == 0 { return false }
            guard errno == EINTR else { throw lose(PostgresError("poll: errno \(errno)")) }
        }
    }

    private func check(_ isSent: Int32) throws(PostgresError) {
        if isSent != 1 { throw lose(unsafe Self.message(pq, connection)) }
    }

    private func lose(_ message: String) -> PostgresError { lose(PostgresError(message)) }

    private func lose(_ error: PostgresError) -> PostgresError {
        let error = loss ?? error
        loss = error
        return error
    }
}

/// What another session has told the listeners of a channel (`NOTIFY`).
public struct PostgresNotification: Sendable, Equatable {
    public let channel: String
    public let payload: String
}

extension PostgresSession {
    private static func load() throws(PostgresError) -> libpq {
        var error: UnsafePointer<CChar>?
        guard let functions = unsafe libpq_load(&error) else {
            let reason = unsafe error.map { unsafe String(cString: $0) } ?? "libpq.so.5 cannot be loaded"
            throw PostgresError("a store on PostgreSQL needs libpq (Debian's package libpq5): \(reason)")
        }
        return unsafe functions.pointee
    }

    private static func connect(_ pq: libpq, _ settings: [(String, String)]) -> OpaquePointer? {
        let keywords = unsafe settings.map { unsafe strdup($0.0) } + [nil]
        let values = unsafe settings.map { unsafe strdup($0.1) } + [nil]
        defer { unsafe (keywords + values).forEach { unsafe free($0) } }
        return unsafe pq.PQconnectdbParams(
            keywords.map { unsafe UnsafePointer($0) }, values.map { unsafe UnsafePointer($0) }, 1)
    }

    private static func message(_ pq: libpq, _ connection: OpaquePointer) -> String {
        unsafe pq.PQerrorMessage(connection).map { unsafe String(cString: $0).trimmedLines } ?? "no connection"
    }
}
