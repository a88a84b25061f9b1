internal import PostgreSQL

/// Task stores in PostgreSQL databases. Any number of processes serve from a store.
public enum PostgresTaskStore {
    /// How the store uses memory, threads and time.
    public struct Options: Sendable {
        /// How many writes, and how many reads, may wait before more are refused.
        public var queueCapacity = 16_384
        /// The number of threads that read, each through a connection of its own.
        public var readers = 2
        /// The number of threads that read and write bodies, each through a connection that it opens when it needs one.
        public var blobThreads = 4
        /// The minimum time between the starts of two commits while fewer than 64 writes are waiting.
        public var gathering = Duration.microseconds(500)
        /// How long to wait for an answer of the server before the connection counts as lost.
        public var timeout = Duration.seconds(5)
        /// How long a write waits for a lock that another session holds.
        public var lockTimeout = Duration.seconds(2)
        /// The same for reads, which may have a lot to look through.
        public var readTimeout = Duration.seconds(30)
        /// How long to look for the server again before a write that may have been committed is given up.
        public var patience = Duration.seconds(10)
        /// How long a result of ``TaskStore/check()`` is reused, unless a transaction fails in the meantime.
        public var checkInterval = Duration.seconds(3)

        public init() {}
    }

    /// Opens the store in a database, and migrates it to the current schema.
    ///
    /// This blocks the thread: call it before serving.
    /// - Parameters:
    ///   - url: as libpq takes it: `postgres://user@host/database?sslmode=verify-full`.
    ///   - name: the name under which this process serves, such as its host's; nil for a command. Those that serve share
    ///     the work, and take over that of one that has died: see ``ReplicaStore``.
    ///   - deliveries: what the steps of tasks put into the outbox, due at once.
    ///   - jobDeliveries: what the steps of jobs put into the outbox.
    /// - Throws: `unavailable`, `newerSchema` or `readOnly`, with a message for the operator.
    public static func open(
        url: String, options: Options = Options(), servingAs name: String? = nil,
        deliveries: @escaping StepCallbacks.Deliveries = { _, _ in nil },
        jobDeliveries: @escaping StepCallbacks.JobDeliveries = { _, _ in nil }
    ) throws(StoreError) -> any TaskStore {
        let callbacks = StepCallbacks(task: deliveries, job: jobDeliveries)
        return SQLTaskStore(pool: try PostgresPool(url, options, callbacks, servingAs: name))
    }

    /// Reads what tells the store in a database from others. This blocks the thread.
    /// - Returns: nil if the database cannot be reached, or has no store.
    public static func identity(ofStoreAt url: String) -> String? {
        guard let session = try? PostgresSession(url, name: "kling-gateway", timeout: .seconds(2)) else { return nil }
        return (try? session.execute("SELECT identity::text FROM kling_gateway.identity")) ?? nil
    }
}

/// Makes sessions for a store.
struct PostgresServer: Sendable {
    let url: String
    let options: PostgresTaskStore.Options
    /// The number of this process among those that serve; 0 if it does not.
    var replica: Int64 = 0
    /// The schema that has the tables.
    var schema = "kling_gateway"

    /// Connects, and checks that commits are durable.
    /// - Parameter purpose: a part of the session's name in PostgreSQL's views.
    func connect(_ purpose: String, timeout: Duration? = nil) throws(PostgresError) -> PostgresSession {
        let session = try PostgresSession(url, name: "kling-gateway", timeout: timeout ?? options.timeout)
        try session.execute(
            """
            SET search_path = \(schema); SET kling_gateway.replica = \(replica);
            SET application_name = '\(Self.name(of: replica)) \(purpose)'
            """)
        return session
    }

    /// What the names of a process's sessions begin with.
    static func name(of replica: Int64) -> String {
        replica == 0 ? "kling-gateway command" : "kling-gateway \(replica)"
    }

    /// Prepares a new database, or checks an old one.
    func prepare() throws(StoreError) {
        do throws(PostgresError) {
            let session = try connect("setup")
            guard session.serverVersion >= Self.minimumVersion else {
                throw PostgresError("PostgreSQL 15 or newer is needed; this is \(session.serverVersion / 10_000)")
            }
            if try PostgresSchema.isNewer(session) { throw PostgresError(Self.newer, sqlState: Self.newerState) }
            try checkDurability(session)
            try PostgresSchema.migrate(session)
        } catch {
            throw error.sqlState == Self.newerState ? StoreError(.newerSchema, Self.newer) : StoreError(error)
        }
    }

    /// Has commits wait for the disk.
    /// - Throws: if the server does not.
    func makeDurable(_ session: PostgresSession) throws(PostgresError) {
        // A server that also waits for its standbys goes on to do so.
        try session.execute(
            """
            SELECT set_config('synchronous_commit', 'on', false)
            WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply')
            """)
        let setting = try session.execute("SHOW synchronous_commit") ?? ""
        guard ["on", "remote_apply"].contains(setting) else {
            throw PostgresError(
                "synchronous_commit is \(setting) and cannot be set: commits would not wait for the disk")
        }
        try checkDurability(session)
        // Before the connection counts as lost, so that a write that cannot have a lock is known to have failed.
        try session.execute("SET lock_timeout = '\(options.lockTimeout / .milliseconds(1))ms'")
    }

    /// Has the server end a transaction soon after its connection is lost, even while it waits for a lock. It would commit
    /// what has been given up by then otherwise. Servers on other systems than Linux may be unable to.
    func abandonWithClient(_ session: PostgresSession) throws(PostgresError) {
        do throws(PostgresError) {
            try session.execute("SET client_connection_check_interval = '500ms'")
        } catch {
            if error.isConnectionLost { throw error }
        }
    }

    private func checkDurability(_ session: PostgresSession) throws(PostgresError) {
        for setting in ["fsync", "full_page_writes"] {
            guard try session.execute("SHOW \(setting)") == "on" else {
                throw PostgresError(
                    "\(setting) is off in this PostgreSQL, so a power cut could lose what was paid for: set it on")
            }
        }
    }

    private static let minimumVersion = 150_000
    private static let newerState = "KG001"
    private static let newer =
        "the store in this database was written by a newer version of kling-gateway: run that version or a later one"
}
