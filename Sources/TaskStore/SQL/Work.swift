internal import Synchronization

/// A unit of work that waits for one of the store's threads. The thread runs it, again if its transaction has to be
/// repeated, and then finishes it, once.
@safe final class Work<Connection: SendableMetatype>: @unchecked Sendable {
    // @unchecked: the queue hands the work from the caller to one thread, and only that thread uses it from then on.
    // @safe: the continuation is set before the work is queued, and resumed only in `finish`, which is called once.

    /// How durable the work must be before it is finished.
    let durability: Durability
    /// What the work is about.
    let subject: WriteSubject
    private let body: StoreBody<Connection, Void>
    private var waiter: UnsafeContinuation<Void, Never>?
    /// Why it has failed.
    private var failure: StoreError?
    // The thread sanitizer does not see how a resumed task gets to its thread. It sees this.
    private let isFinished = Atomic(false)

    private init(_ durability: Durability, _ subject: WriteSubject, _ body: @escaping StoreBody<Connection, Void>) {
        (self.durability, self.subject, self.body) = (durability, subject, body)
    }

    /// Does the work, which keeps its result itself.
    /// - Returns: the error if it failed.
    func run(on connection: Connection) -> StoreError? {
        do throws(StoreError) {
            try body(connection)
            failure = nil
            return nil
        } catch {
            failure = error
            return error
        }
    }

    /// Resumes the caller, with `failure` in place of the result if there is one.
    func finish(_ failure: StoreError?) {
        if let failure { self.failure = failure }
        isFinished.store(true, ordering: .releasing)
        // The thread that takes work from a queue finishes it once. Work that the queue refuses is finished only by
        // `perform`.
        unsafe waiter?.resume()
    }

    /// Adds `body` to `queue` and waits until a thread has run it.
    static func perform<Value: Sendable>(
        in queue: WorkQueue<Connection>, _ durability: Durability, _ subject: WriteSubject,
        _ body: @escaping StoreBody<Connection, Value>
    ) async throws(StoreError) -> Value {
        // Only the thread that runs the work writes it, and this function reads it after that.
        nonisolated(unsafe) var value: Value?
        let work = Work(durability, subject) { connection throws(StoreError) in unsafe value = try body(connection) }
        await unsafe withUnsafeContinuation { waiter in
            unsafe work.waiter = waiter
            if let failure = queue.append(work) { work.finish(failure) }
        }
        _ = work.isFinished.load(ordering: .acquiring)
        if let failure = work.failure { throw failure }
        guard let value = unsafe value else { throw StoreError(.unavailable, "the store did not run the request") }
        return value
    }
}
