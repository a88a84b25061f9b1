internal import Base
internal import EventLoop
internal import Synchronization

/// One client's connection, driven by its ``ConnectionLifecycle``. Loop-confined.
///
/// The socket is registered once, edge-triggered, for its whole life; `isReadable` remembers what was reported. One
/// timer serves all deadlines: it is only armed again when it fires too early, or would fire too late.
final class Connection: @unchecked Sendable {
    // @unchecked: all state is only accessed on the context's loop; its watch and timer check that.
    let context: LoopContext
    let peer: SocketAddress
    var transport: Transport
    var lifecycle = ConnectionLifecycle()
    var exchange: Exchange?
    /// The number of the current exchange.
    private(set) var exchangeCount = 0
    var body = BodyIntake()
    /// The body, if it was read before the handler was called.
    var readAhead: Bytes?
    var bodyWaiter: CheckedContinuation<BodyIntake.Step, Never>?
    var output: Output?
    var writeDeadline: RateDeadline?
    /// Whether a request was answered with a status below 400.
    var wasServed = false
    /// Whether the connection ends with RST, as the simulator may want.
    var resetsAtEnd = false
    var discarded = 0
    /// Watchers of answers that were written but are not acknowledged yet.
    var unacknowledged: [any AnswerWatcher] = []

    /// Input that was read along with what came before it.
    var pending: [UInt8] = []
    var pendingStart = 0
    var isReadable = true
    /// Whether the socket was last reported readable and writable. libevent reports a reset socket like that, and a
    /// healthy one too.
    private var mayHaveFailed = false
    var inputHasEnded = false

    private var watch: SocketWatch?
    private var timer: Timer?
    private var timerDue: MonotonicTime?
    private(set) var deadline: MonotonicTime?
    private var parser: HeadParser
    private var headBeganAt = MonotonicTime(nanoseconds: 0)
    private var headBytes = 0

    init(transport: Transport, peer: SocketAddress, context: LoopContext) {
        self.transport = transport
        self.peer = peer
        self.context = context
        parser = HeadParser(limits: context.headLimits)
    }

    var loop: EventLoop { context.loop }
    var configuration: HTTPServerConfiguration { context.configuration }

    func start() {
        transport.setUp()
        timer = Timer(loop: loop) { [unowned self] in timerHasFired() }
        watch = SocketWatch(
            loop: loop, descriptor: transport.descriptor, events: [.read, .write, .peerFinished, .edgeTriggered]
        ) { [unowned self] events in
            if events.contains(.peerFinished) { endInput() }
            mayHaveFailed = events.isSuperset(of: [.read, .write])
            if events.contains(.read) || inputHasEnded || transport.readNeedsWritable { isReadable = true }
            drive()
        }
        guard watch?.isWatching == true else { return abandon(.clientGone) }
        setDeadline(.now + (transport.beginsWithHandshake ? configuration.headTimeout : configuration.idleTimeout))
    }

    /// Continues the current phase after an event.
    func drive() {
        switch lifecycle.phase {
        case .idle, .readingHead: readHead()
        case .handling: driveBody()
        case .writing: flush()
        case .discarding, .lingering: discard()
        case .awaitingReceipt: lookForReceipts()
        case .closed: break
        }
    }

    func happened(_ event: ConnectionLifecycle.Event) { perform(lifecycle.handle(event)) }

    private func perform(_ action: ConnectionLifecycle.Action) {
        switch action {
        case .none, .startHandler: break
        case .write: flush()
        case .readHead: becomeIdle()
        case .discardBody:
            setDeadline(body.deadline(configuration))
            discard()
        case .linger:
            transport.finish()
            setDeadline(.now + configuration.lingerTimeout)
            discard()
        case .awaitReceipt: setDeadline(.now + Self.receiptPatience)
        case .refuseLateHead: refuse(HeadFault(408, "The request did not arrive in time."), nil)
        case .failBody: failBody()
        case .abandon: abandonNow(inputHasFailed ? .clientGone : .writeTimeout)
        case .close: close()
        }
    }

    private func becomeIdle() {
        parser = HeadParser(limits: context.headLimits)
        setDeadline(.now + configuration.idleTimeout)
        if isReadable || !pending.isEmpty { readHead() }
        if context.isDraining { stopWhenIdle() }
    }

    // MARK: Heads

    func readHead() {
        while lifecycle.phase == .idle || lifecycle.phase == .readingHead {
            if !pending.isEmpty {
                takePending()
            } else {
                guard isReadable || lifecycle.phase == .readingHead && takeExtraRead(), receiveHead() else { return }
            }
        }
    }

    private func takePending() {
        let input = pending
        let (consumed, outcome) = parser.parse(input.span.extracting(pendingStart..<input.count))
        dropPending(consumed)
        go(on: outcome, consumed: consumed)
    }

    /// - Returns: whether input was read and parsed.
    private func receiveHead() -> Bool {
        let space = unsafe context.inputSpace
        guard let count = unsafe receive(into: space), count > 0 else { return false }
        // The context owns `inputSpace`, and nothing else reads into it before this turn ends.
        let input = unsafe UnsafeBufferPointer(rebasing: space.bindMemory(to: UInt8.self)[..<count])
        let (consumed, outcome) = unsafe parser.parse(input.span)
        if consumed < count { pending = unsafe Array(input[consumed...]) }
        go(on: outcome, consumed: consumed)
        return true
    }

    private func go(on outcome: HeadParser.Outcome, consumed: Int) {
        if headBytes == 0 { headBeganAt = .now }
        headBytes += consumed
        switch outcome {
        case .incomplete:
            if lifecycle.phase == .idle {
                happened(.headBegan)
                setDeadline(headBeganAt + configuration.headTimeout)
            }
        case .complete(let head, let rules): begin(head, rules)
        case .refused(let fault, let head): refuse(fault, head)
        }
    }

    private func begin(_ head: HTTPRequestHead, _ rules: MessageRules) {
        context.requests.add(1, ordering: .relaxed)
        lookForReceipts()
        let handler = context.service.begin(head)
        var exchange = Exchange(
            head: head, handler: handler, peer: peer, receivedAt: headBeganAt, bytesReceived: headBytes)
        headBytes = 0
        exchange.keepsAlive = rules.keepsAlive
        body = BodyIntake(rules: rules)
        readAhead = nil
        setDeadline(nil)
        exchangeCount += 1
        _ = lifecycle.handle(.headEnded)
        let request = HTTPRequest(
            head: head,
            body: RequestBody(declaredLength: body.declaredLength, connection: self, exchange: exchangeCount),
            peer: peer, loop: loop, receivedAt: headBeganAt)
        self.exchange = exchange
        let isReadAhead = body.framing != .none && !head.method.hasMeaningfulBody
        if !isReadAhead, pending.isEmpty, !isReadable, let response = handler.immediateResponse(to: request) {
            return answer(response, end: .complete)
        }
        self.exchange?.task = loop.spawn { [self] in
            if isReadAhead, let refusal = await readBodyAhead() { return answer(refusal, end: .rejected) }
            answer(await handler.respond(to: request), end: .complete)
        }
    }

    func refuse(_ fault: HeadFault, _ head: HTTPRequestHead?) {
        exchange = Exchange(
            head: head, handler: context.service.begin(head), peer: peer, receivedAt: headBeganAt,
            bytesReceived: headBytes)
        headBytes = 0
        body = BodyIntake()
        body.fail()
        answer(refusal(fault), end: .rejected)
    }

    // MARK: Input

    /// Reads once and updates the connection's state. `nil` if nothing was read; the reason has been handled.
    func receive(into space: UnsafeMutableRawBufferPointer) -> Int? {
        switch unsafe transport.receive(into: space) {
        case .bytes(0):
            isReadable = false
            finishInput()
            return nil
        case .bytes(let count):
            // A short read has emptied the socket. Later input is reported again, but a FIN is only reported once.
            if !inputHasEnded { isReadable = transport.mayHoldMore(after: count, of: space.count) }
            return count
        case .handshaken:
            setDeadline(.now + configuration.idleTimeout)
            return unsafe receive(into: space)
        case .unfinished:
            isReadable = true
            loop.execute { [self] in drive() }
            return nil
        case .blocked:
            isReadable = false
            return nil
        case .failed:
            isReadable = false
            fail()
            return nil
        }
    }

    /// Whether to read once more although a short read has emptied the socket. When more input is expected, a reset
    /// after the bytes that were read would not be reported again.
    func takeExtraRead() -> Bool {
        defer { mayHaveFailed = false }
        return mayHaveFailed
    }

    private(set) var inputHasFailed = false

    func fail() {
        inputHasFailed = true
        happened(.failed)
    }

    // MARK: Deadlines

    /// Sets when the current phase times out; `nil` for never.
    func setDeadline(_ due: MonotonicTime?) {
        deadline = due
        guard let due, timerDue.map({ due < $0 }) ?? true else { return }
        arm(for: due)
    }

    private func arm(for due: MonotonicTime) {
        timerDue = due
        timer?.arm(after: due - .now)
    }

    private func timerHasFired() {
        timerDue = nil
        guard let deadline else { return }
        if MonotonicTime.now < deadline { return arm(for: deadline) }
        self.deadline = nil
        happened(.timedOut)
    }

    // MARK: End

    /// Ends the connection, whatever it is doing.
    func abandon(_ end: HTTPExchange.End) {
        if lifecycle.isBetweenExchanges {
            lifecycle.close()
            close()
        } else if lifecycle.phase != .closed {
            lifecycle.close()
            abandonNow(end)
        }
    }

    private func abandonNow(_ end: HTTPExchange.End) {
        exchange?.task?.cancel()
        exchange?.watcher.take()?.answerWasLost()
        wakeBody(.failed(.clientGone))
        finishExchange(end)
        close(resets: end == .writeTimeout)
    }

    func finishExchange(_ end: HTTPExchange.End) {
        guard let exchange else { return }
        self.exchange = nil
        exchange.handler.didFinish(exchange.report(end, bodyBytes: body.received))
    }

    func close(resets: Bool = false) {
        guard watch != nil else { return }
        endReceipts()
        (watch, timer, output, pending) = (nil, nil, nil, [])
        transport.close(resets: resets || resetsAtEnd)
        context.forget(self)
    }
}
