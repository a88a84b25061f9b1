internal import Base
internal import EventLoop

/// Request bodies: read when the handler asks for them, discarded otherwise.
extension Connection {
    /// Bodies up to this size are not reserved from the budget.
    private static let unreservedBytes = 64 << 10
    /// Bytes read before other connections get their turn.
    private static let bytesPerTurn = 256 << 10

    /// See ``RequestBody/collect(limit:owner:headroom:)``.
    func collectBody(
        of exchange: Int, limit: Int, owner: String, headroom: Int
    ) async throws(RequestBodyError) -> Bytes {
        loop.assertCurrent()
        guard exchange == lifecycle.requests, lifecycle.phase == .handling else { throw .clientGone }
        if body.framing == .none { return Bytes(capacity: 0) }
        if let block = body.readAhead.take() {
            guard block.count <= limit else { throw .tooLarge(limit: limit) }
            return block
        }
        do throws(RequestBodyError) {
            let bytes = try await readBody(limit: limit, owner: owner, headroom: headroom)
            body.finish()
            return bytes
        } catch {
            body.fail()
            throw error
        }
    }

    /// Reads the body of a request whose method gives it no meaning, before the request is answered: by then it must be
    /// known whether the body's coding is valid. The body is kept in case the handler asks for it.
    /// - Returns: the refusal of a body that is malformed, late or too long for this.
    func readBodyAhead() async -> HTTPResponse? {
        do throws(RequestBodyError) {
            body.readAhead = try await collectBody(
                of: lifecycle.requests, limit: Self.unreservedBytes, owner: "", headroom: 0)
            return nil
        } catch {
            return refusal(HeadFault(error))
        }
    }

    private func readBody(limit: Int, owner: String, headroom: Int) async throws(RequestBodyError) -> Bytes {
        let expected = body.declaredLength ?? min(limit, Self.unreservedBytes)
        guard expected <= limit else { throw .tooLarge(limit: limit) }
        var (block, lease) = try await makeBlock(expected, owner: owner, headroom: headroom)
        body.begin(limit: limit, block: block)
        while true {
            switch await nextBodyStep() {
            case .complete:
                lease?.shrink(to: Self.reserved(block.count, headroom))
                return block
            case .needsRoom:
                let small = block
                (block, lease) = try await makeBlock(limit, owner: owner, headroom: headroom)
                unsafe small.withUnsafeBytes { unsafe block.append(contentsOf: $0) }
                body.block = block
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
        // If the owner's share fits the body, but not the headroom too, all of the share is reserved.
        let wanted = min(Self.reserved(count, headroom), max(count, context.budget.share))
        let lease = try await context.budget.reserve(
            wanted, owner: owner, patience: configuration.budgetTimeout)
        if lifecycle.phase == .closed { throw .clientGone }
        // The block holds the lease until its last reader releases the block.
        return (try Self.block(count) { _ = lease }, lease)
    }

    private static func block(
        _ count: Int, onRelease: (@Sendable () -> Void)? = nil
    ) throws(RequestBodyError) -> Bytes {
        guard let block = Bytes(reserving: count, onRelease: onRelease) else { throw .noBudget }
        return block
    }

    private static func reserved(_ count: Int, _ headroom: Int) -> Int { count + count * headroom / 100 }

    private func nextBodyStep() async -> BodyIntake.Step {
        if lifecycle.phase == .closed { return .failed(.clientGone) }
        let step = pumpBody()
        guard case .blocked = step else { return step }
        if body.awaitsContinue { sendContinue() }
        setDeadline(body.deadline(configuration))
        let next = await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                bodyWaiter = waiter
                // If the cancellation came before the waiter was stored, its handler found nothing to resume.
                if Task.isCancelled { wakeBody(.failed(.cancelled)) }
            }
        } onCancel: {
            loop.execute { self.wakeBody(.failed(.cancelled)) }
        }
        setDeadline(nil)
        return next
    }

    func wakeBody(_ step: BodyIntake.Step) {
        bodyWaiter?.resume(returning: step)
        bodyWaiter = nil
    }

    /// Fails the body, because the client has closed its side or is too slow.
    func failBody() { wakeBody(.failed(input.hasEnded ? .clientGone : .timedOut)) }

    /// Handles an event while the handler is running.
    func driveBody() {
        if bodyWaiter == nil {
            if transport.end == .connection { fail() }
            return
        }
        let step = pumpBody()
        if case .blocked = step { return setDeadline(body.deadline(configuration)) }
        wakeBody(step)
    }

    /// Reads the available input until this connection's turn ends.
    private func pumpBody() -> BodyIntake.Step {
        var turn = Self.bytesPerTurn
        do throws(ChunkFault) {
            while !body.framer.isComplete {
                if input.hasPending {
                    if try takeBodyFromPending() == 0 { return .needsRoom }
                } else if turn <= 0 {
                    loop.execute { [self] in drive() }
                    return .blocked
                } else {
                    guard input.isReadable || input.takeExtraRead(), let count = try receiveBody() else {
                        return stalled
                    }
                    turn -= count
                }
            }
            return .complete
        } catch {
            return .failed(error == .tooLarge ? .tooLarge(limit: 0) : .malformed)
        }
    }

    /// Why nothing more could be read.
    private var stalled: BodyIntake.Step {
        lifecycle.phase == .closed || input.hasEnded && !input.isReadable ? .failed(.clientGone) : .blocked
    }

    private func takeBodyFromPending() throws(ChunkFault) -> Int {
        try input.drain { (bytes) throws(ChunkFault) in
            let count = try body.take(bytes)
            return (count, count)
        }
    }

    /// Reads once, directly into the block if only data can follow.
    private func receiveBody() throws(ChunkFault) -> Int? {
        if let rest = body.framer.plainRemainder, let block = body.block {
            let count = unsafe block.append { space in
                unsafe receive(into: UnsafeMutableRawBufferPointer(rebasing: space[..<rest])) ?? 0
            }
            body.framer.took(count)
            body.received(count)
            return count > 0 ? count : nil
        }
        let space = unsafe context.inputSpace
        guard let count = unsafe receive(into: space) else { return nil }
        // The context owns `inputSpace`, and nothing else reads into it before this turn ends.
        let bytes = unsafe UnsafeBufferPointer(rebasing: space.bindMemory(to: UInt8.self)[..<count])
        let taken = unsafe try body.take(bytes.span)
        if taken < count { unsafe input.keep(bytes[taken...]) }
        return count
    }

    /// Sends `100 Continue`. Nothing else is being written, so a socket without room for 25 bytes counts as failed.
    private func sendContinue() {
        body.awaitsContinue = false
        var output = Output(rendered: Array("HTTP/1.1 100 Continue\r\n\r\n".utf8), slices: [])
        let (count, outcome) = output.write(to: transport)
        exchange?.bytesSent += count
        if case .bytes = outcome { return }
        fail()
    }

    // MARK: Discarding

    /// Reads and discards the rest of a short body, or what the client still sends after our side is closed.
    func discard() {
        if lifecycle.phase == .discarding {
            switch pumpBody() {
            case .complete:
                body.finish()
                happened(.bodyDiscarded)
            case .blocked: break
            case .needsRoom, .failed: happened(.failed)
            }
        }
        var turn = Self.bytesPerTurn
        while lifecycle.phase == .lingering, input.isReadable {
            guard turn > 0 else { return loop.execute { [self] in drive() } }
            guard let count = unsafe receive(into: context.inputSpace) else { return }
            turn -= count
            if input.discard(count, limit: configuration.discardedBytes) { happened(.failed) }
        }
    }
}
