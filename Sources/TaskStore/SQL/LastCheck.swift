internal import Base

/// The result of the last check of the store, reused so that frequent probes cost few disk syncs.
struct LastCheck {
    private let interval: Duration
    private var last: (result: Result<Void, StoreError>, at: MonotonicTime, failures: UInt64)?

    init(interval: Duration) { self.interval = interval }

    /// Returns the last result; nil if it is too old, or if a transaction has failed since.
    /// - Parameter failures: how many transactions have failed so far.
    func result(at now: MonotonicTime, failures: UInt64) -> Result<Void, StoreError>? {
        guard let last, now - last.at < interval, failures == last.failures else { return nil }
        return last.result
    }

    mutating func note(_ result: Result<Void, StoreError>, at now: MonotonicTime, failures: UInt64) {
        last = (result, now, failures)
    }
}

extension StorePool {
    /// Reads, and runs `probe`, unless its last result can be reused.
    func check(
        _ lastCheck: Lock<LastCheck>, _ probe: () async throws(StoreError) -> Void
    ) async throws(StoreError) {
        _ = try await readAtOnce { connection throws(StoreError) in
            try connection.statement(.keyVersion).first { $0.integer(0) }
        }
        let failures = statistics.failures
        if let known = lastCheck.withLock({ $0.result(at: .now, failures: failures) }) { return try known.get() }
        let result: Result<Void, StoreError>
        do throws(StoreError) {
            try await probe()
            result = .success(())
        } catch {
            result = .failure(error)
        }
        let failuresNow = statistics.failures
        lastCheck.withLock { $0.note(result, at: .now, failures: failuresNow) }
        try result.get()
    }
}
