import TestKit

/// What a run is about: one gateway on SQLite, or several on a PostgreSQL store behind HAProxy.
struct Deployment: Sendable {
    /// Where clients are served.
    let url: String
    /// The store, as the configuration names it.
    let store: String
    /// What the environment of each gateway has of its own.
    let processes: [[String: String]]
    /// Where the store is, if there are several gateways.
    let database: DatabaseServers?
    private let proxy: HAProxy?
    private let folders: [TemporaryFolder]

    /// One gateway, whose store is a file.
    init(database: String) throws {
        let port = try freePort()
        url = "http://127.0.0.1:\(port)"
        store = "sqlite:" + database
        processes = [["KLING_GATEWAY_LISTEN": "127.0.0.1:\(port)", "KLING_GATEWAY_ADMIN_LISTEN": "127.0.0.1:0"]]
        (self.database, proxy, folders) = (nil, nil, [])
    }

    /// Several gateways with a server of their own.
    /// - Parameter hasStandby: whether the server has a standby, for a failover.
    init(replicas count: Int, hasStandby: Bool) async throws {
        let database = try await DatabaseServers(hasStandby: hasStandby)
        store = database.url
        let backends = try (0..<count).map { _ in HAProxy.Backend(port: try freePort(), adminPort: try freePort()) }
        let folders = try backends.map { _ in try TemporaryFolder() }
        let proxy = try await HAProxy(backends, isWaiting: false)
        url = "http://127.0.0.1:\(proxy.port)"
        processes = zip(backends, folders).map { backend, folder in
            [
                "KLING_GATEWAY_LISTEN": "127.0.0.1:\(backend.port)",
                "KLING_GATEWAY_ADMIN_LISTEN": "127.0.0.1:\(backend.adminPort)",
                "STATE_DIRECTORY": folder.path(""),
            ]
        }
        (self.database, self.proxy, self.folders) = (database, proxy, folders)
    }

    /// Waits until HAProxy, if there is one, has found a gateway to send requests to.
    func whenReachable() async throws {
        guard let proxy else { return }
        while try await proxy.ask("GET", "/")?.status != 200 { try await Task.sleep(for: .milliseconds(50)) }
    }
}
