internal import Base

/// Something that waits for one of the store's threads. Each thread's queue runs it, then finishes it, once.
class Work: @unchecked Sendable {
    // @unchecked: the queue hands it from the caller to one thread, which alone touches it from then on.

    /// Does the work and keeps what came out.
    /// - Returns: why it failed, if it did.
    func run(on connection: Connection) -> StoreError? { preconditionFailure("a subclass runs") }

    /// Resumes the caller, with `failure` in place of what came out if there is one.
    func finish(_ failure: StoreError?) { preconditionFailure("a subclass finishes") }
}

/// Work that an `async` caller waits for.
@safe final class Job<Value: Sendable>: Work, @unchecked Sendable {
    // @unchecked: as for `Work`. @safe: the continuation is set before the job is queued, and resumed in `finish`
    // alone, which is called once.
    typealias Body = @Sendable (Connection) throws(StoreError) -> Value

    private let body: Body
    private var waiter: UnsafeContinuation<Void, Never>?
    // Behind a lock, though only one thread has it at a time: the way by which a resumed task comes to its thread is
    // nothing that the thread sanitizer sees.
    private let outcome = Lock<Result<Value, StoreError>>(
        .failure(StoreError(.unavailable, "the store didn't get to it")))

    private init(_ body: @escaping Body) { self.body = body }

    override func run(on connection: Connection) -> StoreError? {
        do throws(StoreError) {
            let value = try body(connection)
            outcome.withLock { $0 = .success(value) }
            return nil
        } catch {
            outcome.withLock { $0 = .failure(error) }
            return error
        }
    }

    override func finish(_ failure: StoreError?) {
        if let failure { outcome.withLock { $0 = .failure(failure) } }
        // Whoever takes work from a queue finishes it once; what a queue refuses is finished here alone.
        unsafe waiter?.resume()
    }

    /// Puts `body` into `queue` and waits until it was done there.
    static func perform(in queue: WorkQueue, _ body: @escaping Body) async throws(StoreError) -> Value {
        let job = Job(body)
        await unsafe withUnsafeContinuation { waiter in
            unsafe job.waiter = waiter
            if let failure = queue.append(job) { job.finish(failure) }
        }
        return try job.outcome.withLock { $0 }.get()
    }
}
