/// A unit of work that waits for one of the store's threads. The thread runs it, again if its transaction has to be
/// repeated, and then finishes it, once.
final class Work<Connection: SendableMetatype>: Sendable {
    /// How durable the work must be before it is finished.
    let durability: Durability
    /// What the work is about.
    let subject: WriteSubject
    private let body: StoreBody<Connection, Void>
    private let wait: StoreWait

    /// - Parameter body: does the work, and keeps its result itself.
    init(
        _ durability: Durability, _ subject: WriteSubject, _ wait: StoreWait,
        _ body: @escaping StoreBody<Connection, Void>
    ) {
        (self.durability, self.subject, self.wait, self.body) = (durability, subject, wait, body)
    }

    /// Does the work.
    /// - Returns: the error if it failed.
    func run(on connection: Connection) -> StoreError? {
        do throws(StoreError) {
            try body(connection)
            wait.failure = nil
            return nil
        } catch {
            wait.failure = error
            return error
        }
    }

    /// Resumes the caller, with `failure` in place of the result if there is one.
    func finish(_ failure: StoreError?) {
        if let failure { wait.failure = failure }
        // The thread that takes work from a queue finishes it once. Work that a queue refuses is finished only there.
        wait.end()
    }

    /// Adds `body` to `queue` and waits until a thread has run it.
    static func perform<Value: Sendable>(
        in queue: WorkQueue<Connection>, _ durability: Durability, _ subject: WriteSubject,
        _ body: @escaping StoreBody<Connection, Value>
    ) async throws(StoreError) -> Value {
        try await StoreWait.value(of: body) { wait, body in queue.append(Work(durability, subject, wait, body)) }
    }
}
