import Foundation
import Testing

/// The store that gateways of tests have, chosen for the whole run by `TEST_STORE`: `sqlite`, which is the default, or
/// `postgres`.
public enum TestStore: String, Sendable {
    case sqlite, postgres

    public static let chosen: TestStore = {
        let name = ProcessInfo.processInfo.environment["TEST_STORE"] ?? "sqlite"
        guard let store = TestStore(rawValue: name) else { fatalError("TEST_STORE is \(name), not sqlite or postgres") }
        return store
    }()
}

extension TemporaryFolder {
    /// The `store` of a gateway whose files are in this folder: an SQLite file in it, or a database of its own.
    public var store: String {
        get async throws {
            switch TestStore.chosen {
            case .sqlite: "sqlite:" + path("gateway.db")
            case .postgres: try await database
            }
        }
    }

    /// The store as the gateway's messages name it.
    public var storeName: String {
        get async throws {
            switch TestStore.chosen {
            case .sqlite: path("gateway.db")
            case .postgres: try await database
            }
        }
    }
}

/// A database that is removed with its owner.
final class TestDatabase: Sendable {
    let url: String
    private let server: PostgresServer

    init(on server: PostgresServer) async throws {
        self.server = server
        url = try await server.makeDatabase()
    }

    deinit {
        let name = url.split(separator: "/").last ?? ""
        Task.detached { [server] in _ = try? await server.query("DROP DATABASE \"\(name)\" WITH (FORCE)") }
    }
}

extension Trait where Self == ConditionTrait {
    /// For suites that are about PostgreSQL: they are run with `TEST_STORE=postgres` only, as their servers would take the
    /// time of all other tests.
    public static var needsPostgres: Self {
        .enabled(if: TestStore.chosen == .postgres, "it is about PostgreSQL: set TEST_STORE=postgres")
    }

    /// For tests that cannot be run on another store than SQLite.
    /// - Parameter reason: why, such as what they test that PostgreSQL does not have.
    public static func needsSQLite(_ reason: Comment) -> Self {
        .enabled(if: TestStore.chosen == .sqlite, reason)
    }

    /// For tests that would find nothing new on another store than the default.
    public static var needsNoStore: Self { .needsSQLite("it does not depend on TEST_STORE") }
}
