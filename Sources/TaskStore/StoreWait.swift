internal import Synchronization

/// The end of a unit of work on one of the store's threads, which one caller waits for.
///
/// It is made before the work is handed over, so that handing over is a synchronous call: an asynchronous one through a
/// protocol costs a switch of executors.
@safe public class StoreWait: @unchecked Sendable {
    // @unchecked: the caller makes it and hands it over with the work; then only the thread that does the work uses it,
    // until it resumes the caller.
    // @safe: the continuation is set before the work is handed over, and resumed only in `end`, which is called once.

    private var caller: UnsafeContinuation<Void, Never>?
    /// Why the work has failed.
    var failure: StoreError?
    // The thread sanitizer does not see how a resumed task gets to its thread. It sees this.
    private let isOver = Atomic(false)

    init() {}

    /// Hands work over by `start`, and waits until it has ended. Call it once.
    @inline(__always) func perform(_ start: () -> Void) async throws(StoreError) {
        await unsafe withUnsafeContinuation { caller in
            unsafe self.caller = caller
            start()
        }
        _ = isOver.load(ordering: .acquiring)
        if let failure { throw failure }
    }

    /// Hands `body` over by `start`, and waits for its value.
    static func value<Connection, Value: Sendable>(
        of body: @escaping StoreBody<Connection, Value>,
        _ start: (StoreWait, @escaping StoreBody<Connection, Void>) -> Void
    ) async throws(StoreError) -> Value {
        // Only the thread that runs the work writes it, and this function reads it after that.
        nonisolated(unsafe) var value: Value?
        let wait = StoreWait()
        try await wait.perform {
            start(wait) { connection throws(StoreError) in unsafe value = try body(connection) }
        }
        guard let value = unsafe value else { throw .notRun }
        return value
    }

    /// Resumes the caller. Call it once.
    func end() {
        isOver.store(true, ordering: .releasing)
        unsafe caller?.resume()
    }
}

/// The end of work whose result is a task's record.
public final class RecordWait: StoreWait, @unchecked Sendable {
    // @unchecked: as for `StoreWait`.

    /// Set by the work.
    var record: TaskRecord?
}

extension StoreError {
    /// A thread has ended work without running it.
    static let notRun = StoreError(.unavailable, "the store did not run the request")
}
