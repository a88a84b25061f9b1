/// Replication to a standby.
extension PostgresServer {
    /// Makes a standby that follows this server.
    /// - Parameter isSynchronous: whether this server's commits wait from now on until the standby has them on disk.
    public func makeStandby(isSynchronous: Bool = false, settings: [String: String] = [:]) async throws
        -> PostgresServer
    {
        let name = "standby"
        if isSynchronous {
            _ = try await query("ALTER SYSTEM SET synchronous_standby_names = '\(name)'")
            // In effect once `pg_basebackup` has had its checkpoint.
            _ = try await query("SELECT pg_reload_conf()")
        }
        let source = "host=127.0.0.1 port=\(port) user=\(Self.superuser) application_name=\(name)"
        return try await PostgresServer(programs, settings) { programs, data in
            let options = ["--write-recovery-conf", "--checkpoint=fast", "--no-sync"]
            _ = try await programs.run("pg_basebackup", options + ["--pgdata=\(data)", "--dbname=\(source)"])
            // Once promoted, it has no standby to wait for.
            try Self.add(["synchronous_standby_names": ""], to: data + "/postgresql.auto.conf")
        }
    }

    /// Makes a standby a server of its own, and waits until it accepts writes.
    public func promote() async throws {
        let answer = try await query("SELECT pg_promote(true, 60)")
        guard answer == "t" else { throw TestKitError("the standby was not promoted within 60 s") }
    }

    /// Lets a standby receive and keep what the primary has committed, without applying it, until it is promoted.
    public func stopReplay() async throws {
        _ = try await query("SELECT pg_wal_replay_pause()")
        while try await query("SELECT pg_get_wal_replay_pause_state()") != "paused" { await Task.yield() }
    }

    /// Waits until a commit on this server waits for the standby.
    /// - Parameter areReceived: whether to wait also until the standby has everything.
    public func waitForCommits(areReceived: Bool = true) async throws {
        let waiting = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        while try await query(waiting) != "t" { await Task.yield() }
        guard areReceived else { return }
        let received = "SELECT flush_lsn >= pg_current_wal_flush_lsn() FROM pg_stat_replication"
        while try await query(received) != "t" { await Task.yield() }
    }
}
