import Base
import TestKit

/// The PostgreSQL server of a run, and the standby that takes its place at a failover.
final class DatabaseServers: Sendable {
    private struct State {
        /// The server that takes writes.
        var primary: PostgresServer
        /// The server that follows it, until it is promoted.
        var standby: PostgresServer?
        var failovers = 0
    }

    /// The URL of the store's database. It names both servers.
    let url: String
    private let state: Lock<State>

    /// - Parameter hasStandby: whether each commit is to wait for a standby too, so that a failover loses none.
    init(hasStandby: Bool) async throws {
        let primary = try await PostgresServer()
        let database = "torture"
        let own = try await primary.makeDatabase(database)
        guard hasStandby else {
            (url, state) = (own, Lock(State(primary: primary)))
            return
        }
        // After a crash of the primary, commits wait until the standby is connected again.
        let standby = try await primary.makeStandby(
            isSynchronous: true, settings: ["wal_retrieve_retry_interval": "200ms"])
        let both = PostgresServer.url(ofDatabase: database, on: [primary, standby])
        url = both + "?target_session_attrs=read-write"
        state = Lock(State(primary: primary, standby: standby))
    }

    /// How many failovers there were.
    var failovers: Int { state.withLock(\.failovers) }

    /// Kills the primary, and starts it again.
    func crash() async throws {
        let primary = state.withLock(\.primary)
        try await primary.kill()
        try await primary.start()
    }

    /// Kills the primary, and promotes the standby.
    func failOver() async throws {
        let (primary, standby) = state.withLock { ($0.primary, $0.standby) }
        guard let standby else { throw TestKitError("there is no standby to promote") }
        try await primary.kill()
        try await standby.promote()
        state.withLock { state in
            (state.primary, state.standby) = (standby, nil)
            state.failovers += 1
        }
    }
}
