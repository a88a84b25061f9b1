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
    // @unchecked: as for `Work`. @safe: the continuation is resumed in `finish` alone, which is called once.
    typealias Body = @Sendable (Connection) throws(StoreError) -> Value

    private let body: Body
    private let waiter: UnsafeContinuation<Result<Value, StoreError>, Never>
    private var outcome: Result<Value, StoreError> = .failure(StoreError(.unavailable, "the store didn't get to it"))

    private init(_ body: @escaping Body, _ waiter: UnsafeContinuation<Result<Value, StoreError>, Never>) {
        self.body = body
        unsafe self.waiter = unsafe waiter
    }

    override func run(on connection: Connection) -> StoreError? {
        do throws(StoreError) {
            outcome = .success(try body(connection))
            return nil
        } catch {
            outcome = .failure(error)
            return error
        }
    }

    override func finish(_ failure: StoreError?) {
        // Whoever takes work from a queue finishes it once; what a queue refuses is finished here alone.
        unsafe waiter.resume(returning: failure.map(Result.failure) ?? outcome)
    }

    /// Puts `body` into `queue` and waits until it was done there.
    static func perform(in queue: WorkQueue, _ body: @escaping Body) async throws(StoreError) -> Value {
        let outcome = await unsafe withUnsafeContinuation { waiter in
            let job = unsafe Job(body, waiter)
            if let failure = queue.append(job) { job.finish(failure) }
        }
        return try outcome.get()
    }
}
