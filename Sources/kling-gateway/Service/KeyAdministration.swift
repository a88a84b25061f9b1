internal import ArgumentParser
internal import Base
internal import Gateway
internal import GatewayConfiguration
internal import TaskStore

/// The operations of the `keys` commands, on the store that the configuration names.
enum KeyAdministration {
    static func create(tenant: String, _ configuration: Configuration) async throws -> IssuedKey {
        try await withIssuer(configuration) { try await $0.issue(tenant: tenant, at: WallClock.milliseconds) }
    }

    static func rotate(_ id: String, _ configuration: Configuration) async throws -> IssuedKey {
        try await withIssuer(configuration) { try await $0.rotate(key: id, at: WallClock.milliseconds) }
    }

    static func list(_ configuration: Configuration) async throws -> [ListedKey] {
        try await withStore(of: configuration) { try await KeyIssuer.list($0.keys) }
    }

    static func revoke(_ id: String, _ configuration: Configuration) async throws {
        try await withStore(of: configuration) { try await $0.keys.revoke(id, at: WallClock.milliseconds) }
    }

    /// Opens the store for the duration of `body`, and prints errors to standard error.
    static func withStore<Result>(
        of configuration: Configuration, _ body: (SQLiteTaskStore) async throws -> Result
    ) async throws -> Result {
        do {
            let store = try configuration.openStore()
            let result = try await body(store)
            await store.close()
            return result
        } catch let exit as ExitCode {
            throw exit
        } catch {
            throw fail("\(error)")
        }
    }

    private static func withIssuer<Result>(
        _ configuration: Configuration, _ body: (KeyIssuer) async throws -> Result
    ) async throws -> Result {
        try await withStore(of: configuration) { store in
            try await body(KeyIssuer(keys: store.keys, vault: try await Vault(configuration, sharedWith: store)))
        }
    }
}
