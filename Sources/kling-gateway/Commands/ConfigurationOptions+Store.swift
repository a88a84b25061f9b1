internal import Gateway
internal import TaskStore

extension ConfigurationOptions {
    /// Opens the store that `serve` uses for the duration of `body`, even while a gateway is running.
    func withStore<Result>(_ body: (SQLiteTaskStore) async throws -> Result) async throws -> Result {
        try await KeyAdministration.withStore(of: load(), body)
    }
}
