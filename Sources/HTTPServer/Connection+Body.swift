internal import Base
internal import EventLoop

/// Bodies: read when somebody wants them, read over when nobody did.
extension Connection {
    /// Bodies up to this size are not reckoned.
    private static let unreservedBytes = 64 << 10
    /// Bytes read before other connections get their turn.
    private static let bytesPerTurn = 256 << 10

    /// See ``RequestBody/collect(limit:owner:headroom:)``.
    func collectBody(
        of exchange: Int, limit: Int, owner: String, headroom: Int
    ) async throws(RequestBodyError) -> Bytes {
        loop.assertCurrent()
        guard exchange == exchangeCount, lifecycle.phase == .handling else { throw .clientGone }
        if body.framing == .none { return Bytes(capacity: 0) }
        if let block = readAhead {
            readAhead = nil
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

    /// Reads the body of a request whose method gives it no meaning, before anybody answers: whether its coding is sound
    /// must be known by then. It is kept for a handler that wants it all the same.
    /// - Returns: the refusal of a body that is broken, late or too long for that.
    func readBodyAhead() async -> HTTPResponse? {
        do throws(RequestBodyError) {
            readAhead = try await collectBody(of: exchangeCount, limit: Self.unreservedBytes, owner: "", headroom: 0)
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
        // Who may hold the body, but not also what is made of it, gets all that one owner may have.
        let wanted = min(Self.reserved(count, headroom), max(count, context.budget.share))
        let lease = try await context.budget.reserve(
            wanted, owner: owner, on: loop, patience: configuration.budgetTimeout)
        if lifecycle.phase == .closed { throw .clientGone }
        // The block holds the lease until its last reader lets go of it.
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
                // A cancellation that came before the waiter was there found nobody to tell.
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

    /// The client has ended its side, or is too slow.
    func failBody() { wakeBody(.failed(inputHasEnded ? .clientGone : .timedOut)) }

    /// Something was reported while the handler is at work.
    func driveBody() {
        if bodyWaiter == nil {
            if transport.end == .connection { fail() }
            return
        }
        let step = pumpBody()
        if case .blocked = step { return setDeadline(body.deadline(configuration)) }
        wakeBody(step)
    }

    /// Reads what there is, as long as it is this connection's turn.
    private func pumpBody() -> BodyIntake.Step {
        var turn = Self.bytesPerTurn
        do throws(ChunkFault) {
            while !body.framer.isComplete {
                if !pending.isEmpty {
                    if try takeBodyFromPending() == 0 { return .needsRoom }
                } else if turn <= 0 {
                    loop.execute { [self] in drive() }
                    return .blocked
                } else {
                    guard isReadable || looksAgain(), let count = try receiveBody() else { return stalled }
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
        lifecycle.phase == .closed || inputHasEnded && !isReadable ? .failed(.clientGone) : .blocked
    }

    private func takeBodyFromPending() throws(ChunkFault) -> Int {
        let input = pending
        let all = input.span
        let count = try body.take(all.extracting(pendingStart..<all.count))
        dropPending(count)
        return count
    }

    func dropPending(_ count: Int) {
        pendingStart += count
        if pendingStart == pending.count {
            pending = []
            pendingStart = 0
        }
    }

    /// Reads once: straight into the block where only data can come.
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
        // `inputSpace` is the context's, which nobody else reads to before this turn is over.
        let input = unsafe UnsafeBufferPointer(rebasing: space.bindMemory(to: UInt8.self)[..<count])
        let taken = unsafe try body.take(input.span)
        if taken < count { pending = unsafe Array(input[taken...]) }
        return count
    }

    /// 25 bytes on a connection with nothing else to write: a socket that has no room for them is no use.
    private func sendContinue() {
        body.awaitsContinue = false
        var output = Output(rendered: Array("HTTP/1.1 100 Continue\r\n\r\n".utf8), slices: [])
        let (count, outcome) = output.write(to: transport)
        exchange?.bytesSent += count
        if case .bytes = outcome { return }
        fail()
    }

    // MARK: Reading over

    /// Reads and forgets: the rest of a short body, or whatever the client still sends to a closed side.
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
        while lifecycle.phase == .lingering, isReadable {
            guard turn > 0 else { return loop.execute { [self] in drive() } }
            guard let count = unsafe receive(into: context.inputSpace) else { return }
            turn -= count
            discarded += count
            if discarded > configuration.discardedBytes { happened(.failed) }
        }
    }
}
