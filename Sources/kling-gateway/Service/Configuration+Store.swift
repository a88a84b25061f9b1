internal import Base
internal import Foundation
internal import Gateway
internal import GatewayConfiguration
internal import TaskStore

extension Configuration {
    /// Whether the store is a file that is still to be created.
    var isStoreMissing: Bool {
        switch storage.store {
        case .sqlite(let path): !FileManager.default.fileExists(atPath: path)
        case .postgres: false
        }
    }

    /// Opens the store for the duration of `body`, even while a gateway is running.
    func withStore<Result>(_ body: (any TaskStore) async throws -> Result) async throws -> Result {
        let store = try openStore()
        do {
            let result = try await body(store)
            await store.close()
            return result
        } catch {
            await store.close()
            throw error
        }
    }

    /// The administration API on the store itself, without a gateway.
    func adminAPI(on store: any TaskStore) -> AdminAPI {
        AdminAPI(
            adminParts(
                store, vault: { try await Vault(self, sharedWith: store) },
                callbacks: CommandCallbacks(allowing: allowed.callbacks)))
    }

    /// Makes a key for a tenant.
    func issueKey(tenant: String) async throws -> IssuedKey {
        try await withStore { store in
            try await KeyIssuer(keys: store.keys, vault: Vault(self, sharedWith: store)).issue(tenant: tenant)
        }
    }
}

/// The `User-Agent` for receivers of callbacks and hosts of pictures.
let callbackUserAgent = "kling-gateway/\(Version.number)"
