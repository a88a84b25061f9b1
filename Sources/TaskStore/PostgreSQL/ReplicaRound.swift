internal import Base
internal import PostgreSQL

extension PostgresReplica {
    /// A session that holds the process's advisory lock, and what it has seen of the others so far.
    struct Round {
        let session: PostgresSession
        private(set) var watch = ReplicaWatch()
        /// When another process was last among those that serve.
        private(set) var seenOthersAt: MonotonicTime?

        init(_ server: PostgresServer) throws(PostgresError) {
            session = try server.connect("membership")
            // Beats need not survive a power cut.
            try session.execute(
                """
                SET synchronous_commit = off; LISTEN \(PostgresReplica.keys); LISTEN \(PostgresReplica.tasks);
                SELECT pg_try_advisory_lock(\(PostgresReplica.lockClass), \(server.replica))
                """)
            try session.startPipeline()
        }

        /// - Returns: the row of the newest task; nil if this process is no longer one of those that serve.
        func raiseBeats() throws(PostgresError) -> Int64? {
            try session.send(
                """
                UPDATE replicas SET beats = beats + 1 WHERE number = \(PostgresDialect.replica)
                RETURNING (SELECT last_value - (NOT is_called)::integer FROM tasks_task_seq)
                """, named: "beat", [])
            let result = try session.result()
            try session.sync()
            return result.count == 0 ? nil : result.integer(0, 0)
        }

        /// Looks at the other processes.
        /// - Returns: the dead ones.
        mutating func look(now: MonotonicTime) throws(PostgresError) -> [Int64] {
            try session.send(
                """
                SELECT number, beats, has_left, NOT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory'
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                AND classid = \(PostgresReplica.lockClass) AND objid = number AND granted)
                FROM replicas WHERE number <> \(PostgresDialect.replica)
                """, named: "look", [])
            let result = try session.result()
            if result.count > 0 { seenOthersAt = now }
            let others = (0..<Int32(result.count)).map { row in
                ReplicaWatch.Sight(
                    number: result.integer(row, 0), beats: result.integer(row, 1),
                    hasLeft: result.integer(row, 2) == 1, isUnlocked: result.integer(row, 3) == 1)
            }
            try session.sync()
            return watch.dead(among: others, now: now)
        }

        /// Makes the unfinished tasks and the deliveries of a dead process this one's, in one transaction. What the other
        /// may still have open is cut off first: a paused process must hold nobody up.
        /// - Returns: the tasks; nil if another process was faster.
        func takeOver(_ other: Int64) throws(PostgresError) -> [TaskID]? {
            for sql in [
                "BEGIN", "SET LOCAL synchronous_commit = on",
                """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()
                AND datname = current_database() AND application_name LIKE '\(PostgresServer.name(of: other)) %'
                """,
            ] {
                try session.send(sql, named: nil, [])
            }
            try session.send("DELETE FROM replicas WHERE number = $1", named: nil, [.integer(other)])
            do throws(PostgresError) {
                guard try session.result().changes == 1 else {
                    try session.recover()
                    return nil
                }
                let ids = try adopt()
                try session.send("COMMIT", named: nil, [])
                try session.sync()
                return ids
            } catch {
                try session.recover()
                throw error
            }
        }

        /// Makes the unfinished tasks and the waiting deliveries this process's that belong to none of those that serve.
        /// Tasks come first: a process that has one of them locked may be about to add a delivery to it.
        func adopt() throws(PostgresError) -> [TaskID] {
            let isOrphan = "NOT EXISTS (SELECT 1 FROM replicas WHERE number = owner)"
            try session.send(
                """
                UPDATE tasks SET owner = \(PostgresDialect.replica) WHERE finished_at IS NULL AND \(isOrphan)
                RETURNING id
                """, named: nil, [])
            let result = try session.result()
            try session.send(
                """
                UPDATE deliveries SET owner = \(PostgresDialect.replica),
                next_attempt_at = CASE WHEN leased = 1 THEN 0 ELSE next_attempt_at END, leased = 0
                WHERE next_attempt_at IS NOT NULL AND \(isOrphan)
                """, named: nil, [])
            return (0..<Int32(result.count)).map { row in
                let id = result.uuid(row, 0)
                return TaskID(high: id.high, low: id.low)
            }.sorted()
        }
    }
}

/// Decides from what was seen of other processes which of them are dead.
struct ReplicaWatch {
    /// What was seen of another process at one time.
    struct Sight {
        let number: Int64
        let beats: Int64
        let hasLeft: Bool
        let isUnlocked: Bool
    }

    private struct Known {
        var beats: Int64
        var beatSince: MonotonicTime
        /// Since when nobody has held its lock.
        var unlockedSince: MonotonicTime?
        /// Whether it was seen to beat.
        var isAlive = false
    }

    private var known: [Int64: Known] = [:]

    /// Whether it is still open of one of them whether it lives.
    var hasDoubts: Bool { known.values.contains { !$0.isAlive } }

    /// Those that have missed a beat or two, or that do not hold their lock.
    func suspects(now: MonotonicTime) -> Set<Int64> {
        Set(known.filter { $0.value.unlockedSince != nil || now - $0.value.beatSince >= Self.suspicion }.keys)
    }

    private static let suspicion = Duration.milliseconds(700)

    /// Adds what was seen now.
    /// - Returns: the processes that are dead.
    mutating func dead(among others: [Sight], now: MonotonicTime) -> [Int64] {
        let numbers = Set(others.map(\.number))
        known = known.filter { numbers.contains($0.key) }
        return others.filter { isDead($0, now: now) }.map(\.number)
    }

    private mutating func isDead(_ seen: Sight, now: MonotonicTime) -> Bool {
        if seen.hasLeft { return true }
        var before = known[seen.number] ?? Known(beats: seen.beats, beatSince: now)
        if seen.beats != before.beats {
            (before.beats, before.beatSince, before.isAlive) = (seen.beats, now, true)
        }
        before.unlockedSince = seen.isUnlocked ? before.unlockedSince ?? now : nil
        known[seen.number] = before
        if let since = before.unlockedSince, now - since >= PostgresReplica.lockPatience { return true }
        return now - before.beatSince >= PostgresReplica.beatPatience
    }
}
