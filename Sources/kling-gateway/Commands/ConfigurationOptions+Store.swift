internal import Gateway
internal import TaskStore

extension ConfigurationOptions {
    /// Opens the store that `serve` uses, beside a running gateway if there is one, for one piece of work.
    func withStore<Result>(_ body: (SQLiteTaskStore) async throws -> Result) async throws -> Result {
        try await KeyAdministration.withStore(of: load(), body)
    }
}
