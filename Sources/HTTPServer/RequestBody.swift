public import Base
internal import EventLoop

/// A request's body. It stays unread, and the client's upload stalled, until the handler asks for it. Loop-confined.
public final class RequestBody: @unchecked Sendable {
    // @unchecked: all state is only accessed on the connection's loop; what a handler calls traps anywhere else.

    /// `Content-Length`; 0 for a request without a body, `nil` for a chunked one.
    public let declaredLength: Int?
    /// Whether this is the first request on its connection.
    public let isFirstOnConnection: Bool

    let connection: Connection
    private var intake: BodyIntake
    /// The body, if it was read before the handler was called.
    private var readAhead: Bytes?
    private var waiter: CheckedContinuation<BodyIntake.Step, Never>?
    /// The handler's task, while its cancellation is put off.
    private var shielded: PooledTask?

    /// Bodies up to this size are not reserved from the budget.
    private static let unreservedBytes = 64 << 10

    init(_ rules: MessageRules, connection: Connection, isFirst: Bool) {
        intake = BodyIntake(rules)
        declaredLength = intake.declaredLength
        isFirstOnConnection = isFirst
        self.connection = connection
    }

    /// Whether the handler of this request is running. Traps anywhere but on the connection's loop.
    var isBeingHandled: Bool {
        connection.loop.assertCurrent()
        return connection.body === self && connection.lifecycle.phase == .handling
    }

    /// Puts off the cancellation of the handler's task until ``endShield()``, for work that must end even if the client
    /// leaves. Call it in that task.
    /// - Returns: false if the task is cancelled already.
    public func beginShield() -> Bool {
        guard isBeingHandled, !Task.isCancelled, let task = connection.handlerTask else { return false }
        task.beginShield()
        shielded = task
        return true
    }

    /// Cancels the handler's task now if it was to be cancelled since ``beginShield()``. Call it in that task.
    public func endShield() { shielded.take()?.endShield() }

    // MARK: Collecting

    /// Reads the whole body into one block. Call it once, on the connection's loop (in the handler's own task).
    ///
    /// A body that arrived with the head is returned without suspending. For any other body, `100 Continue` is sent now
    /// to a client that waits for it. A body of more than 64 KiB is reserved from the server's ``ByteBudget`` before it
    /// is read, and the bytes are returned when the block is released; a chunked body reserves `limit` once it has
    /// passed 64 KiB. Together with `headroom`, that is at most what one owner may have.
    /// - Parameters:
    ///   - limit: the most bytes to accept; a longer `Content-Length` is refused before anything is read.
    ///   - owner: whose share of the budget the bytes count against.
    ///   - headroom: how many more bytes to reserve, in percent of the body, for what the caller makes of the body and
    ///     keeps together with the block. Reserving them later could deadlock with others that do the same.
    /// - Throws: ``RequestBodyError``; the connection then closes after the answer.
    public func collect(limit: Int, owner: String, headroom: Int = 0) async throws(RequestBodyError) -> Bytes {
        guard isBeingHandled else { throw .clientGone }
        if declaredLength == 0 { return Bytes(capacity: 0) }
        if let block = readAhead.take() {
            guard block.count <= limit else { throw .tooLarge(limit: limit) }
            return block
        }
        do throws(RequestBodyError) {
            let bytes = try await read(limit: limit, owner: owner, headroom: headroom)
            intake.finish()
            return bytes
        } catch {
            intake.fail()
            throw error
        }
    }

    /// Reads the body of a request whose method gives it no meaning, before the request is answered: by then it must be
    /// known whether the body's coding is valid. The body is kept in case the handler asks for it.
    /// - Returns: the fault of a body that is malformed, late or too long for this.
    func collectAhead() async -> HeadFault? {
        do throws(RequestBodyError) {
            readAhead = try await collect(limit: Self.unreservedBytes, owner: "")
            return nil
        } catch {
            return HeadFault(error)
        }
    }

    private func read(limit: Int, owner: String, headroom: Int) async throws(RequestBodyError) -> Bytes {
        let expected = declaredLength ?? min(limit, Self.unreservedBytes)
        guard expected <= limit else { throw .tooLarge(limit: limit) }
        // Most bodies need no reservation, and have arrived with the head: they need no asynchronous call.
        var (block, lease): (Bytes, ByteBudget.Lease?)
        if expected <= Self.unreservedBytes {
            (block, lease) = (try Self.block(expected), nil)
        } else {
            (block, lease) = try await makeBlock(expected, owner: owner, headroom: headroom)
        }
        intake.begin(limit: limit, block: block)
        while true {
            let step: BodyIntake.Step
            if let next = nextStep() { step = next } else { step = await waitForInput() }
            switch step {
            case .complete:
                lease?.shrink(to: Self.reserved(block.count, headroom))
                return block
            case .needsRoom:
                (block, lease) = try await makeBlock(limit, owner: owner, headroom: headroom)
                intake.move(to: block)
            case .failed(.tooLarge): throw .tooLarge(limit: limit)
            case .failed(let error): throw error
            case .blocked: break
            }
        }
    }

    private func makeBlock(
        _ count: Int, owner: String, headroom: Int
    ) async throws(RequestBodyError) -> (Bytes, ByteBudget.Lease?) {
        guard count > Self.unreservedBytes else { return (try Self.block(count), nil) }
        let blocks = connection.context.blocks
        // If the owner's share fits the body, but not the headroom too, all of the share is reserved.
        let wanted = min(Self.reserved(count, headroom), max(count, blocks.budget.share))
        let lease = try await blocks.budget.reserve(
            wanted, owner: owner, patience: connection.configuration.budgetTimeout)
        if connection.lifecycle.phase == .closed { throw .clientGone }
        // The block holds the lease until its last reader releases the block.
        let holding: @Sendable () -> Void = { _ = lease }
        // A chunked body may be much shorter than its block.
        guard declaredLength != nil else { return (try Self.block(count, onRelease: holding), lease) }
        guard let block = blocks.make(count, onRelease: holding) else { throw .noBudget }
        return (block, lease)
    }

    private static func block(
        _ count: Int, onRelease: (@Sendable () -> Void)? = nil
    ) throws(RequestBodyError) -> Bytes {
        guard let block = Bytes(reserving: count, onRelease: onRelease) else { throw .noBudget }
        return block
    }

    private static func reserved(_ count: Int, _ headroom: Int) -> Int { count + count * headroom / 100 }

    // MARK: Reading

    /// Reads what is available.
    /// - Returns: nil if more input is needed from the socket.
    private func nextStep() -> BodyIntake.Step? {
        connection.lifecycle.phase == .closed ? .failed(.clientGone) : advance()
    }

    private func waitForInput() async -> BodyIntake.Step {
        if intake.takeContinue() { connection.sendContinue() }
        setDeadline()
        let next = await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                self.waiter = waiter
                // If the cancellation came before the waiter was stored, its handler found nothing to resume.
                if Task.isCancelled { wake(.failed(.cancelled)) }
            }
        } onCancel: {
            connection.loop.execute { self.wake(.failed(.cancelled)) }
        }
        connection.timer.set(nil)
        return next
    }

    /// Reads what is available.
    /// - Returns: nil if more input is needed from the socket.
    private func advance() -> BodyIntake.Step? {
        let step = intake.read(from: &connection.socket)
        guard case .blocked(let outcome) = step else { return step }
        connection.readNothing(outcome)
        return connection.lifecycle.phase == .closed || connection.socket.isExhausted ? .failed(.clientGone) : nil
    }

    /// Sets when the rest of the body is late.
    func setDeadline() { connection.timer.set(intake.deadline(connection.configuration)) }

    /// Continues the handler's read after an event.
    /// - Returns: false if the handler is not reading.
    func drive() -> Bool {
        guard waiter != nil else { return false }
        if let step = advance() { wake(step) } else { setDeadline() }
        return true
    }

    /// Ends the handler's wait for input, if it waits.
    func wake(_ step: BodyIntake.Step) { waiter.take()?.resume(returning: step) }

    /// Reads and discards what is available of the rest.
    /// - Returns: what happened; nil if more input is needed from the socket.
    func discard() -> ConnectionLifecycle.Event? {
        switch advance() {
        case nil: return nil
        case .complete:
            intake.finish()
            return .bodyDiscarded
        case .blocked, .needsRoom, .failed: return .failed
        }
    }

    /// The part that has not been read.
    var remainder: BodyIntake.Remainder { intake.remainder }

    /// How many bytes were read, including the chunked coding.
    var received: Int { intake.received }
}
