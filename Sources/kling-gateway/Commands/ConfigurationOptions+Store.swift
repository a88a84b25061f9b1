internal import Foundation
internal import Gateway
internal import GatewayConfiguration
internal import TaskStore

extension ConfigurationOptions {
    /// Reads what a command needs that works on the store, and says on standard error which store that is.
    /// - Parameter canCreate: whether the command may go on with a new, empty store. Otherwise a missing one is an
    ///   error.
    func loadForStore(_ purpose: ConfigurationPurpose = .administration, canCreate: Bool = false) throws
        -> Configuration
    {
        let configuration = try load(for: purpose)
        let path = configuration.storePath
        if configuration.isStoreMissing, !canCreate {
            throw fail(
                "there is no store at \(path): if `serve` uses another, set `store` or KLING_GATEWAY_STORE as for it")
        }
        printError("store: \(path)" + (configuration.isStoreMissing ? " (new)" : ""))
        return configuration
    }

    /// Opens the store that `serve` uses for the duration of `body`, even while a gateway is running.
    func withStore<Result>(_ body: (SQLiteTaskStore) async throws -> Result) async throws -> Result {
        try await KeyAdministration.withStore(of: loadForStore(), body)
    }
}

extension Configuration {
    /// Whether the store is still to be created.
    var isStoreMissing: Bool { !FileManager.default.fileExists(atPath: storePath) }
}
