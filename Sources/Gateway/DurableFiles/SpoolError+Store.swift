internal import TaskStore

extension SpoolError {
    /// The store cannot keep bodies.
    init(_ error: StoreError) {
        let code: Code =
            switch error.code {
            case .full: .full
            case .readOnly: .readOnly
            default: .unavailable
            }
        self.init(code, error.detail)
    }

    /// Runs `body`, whose errors are the store's.
    static func wrapping<Value>(
        _ body: () async throws(StoreError) -> Value
    ) async throws(SpoolError) -> Value {
        do throws(StoreError) {
            return try await body()
        } catch {
            throw SpoolError(error)
        }
    }
}
