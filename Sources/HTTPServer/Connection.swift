internal import Base
internal import EventLoop
internal import Synchronization

/// One client's connection, driven by its ``ConnectionLifecycle``. Loop-confined.
///
/// The socket is registered once, edge-triggered, for its whole life; ``ConnectionInput`` remembers what was reported.
final class Connection: @unchecked Sendable {
    // @unchecked: all state is only accessed on the context's loop; its watch and timer check that.
    let context: LoopContext
    let peer: SocketAddress
    var transport: Transport
    var lifecycle = ConnectionLifecycle()
    var input = ConnectionInput()
    private var head: HeadReader
    var exchange: Exchange?
    var body = BodyIntake()
    var bodyWaiter: CheckedContinuation<BodyIntake.Step, Never>?
    var output: Output?
    /// Watchers of answers that were written but are not acknowledged yet.
    var unacknowledged: [any AnswerWatcher] = []
    /// Whether a request was answered with a status below 400.
    var wasServed = false
    /// Whether the connection ends with RST, as the simulator may want.
    var resetsAtEnd = false
    private var watch: SocketWatch?
    private(set) var timer = PhaseTimer()

    init(transport: Transport, peer: SocketAddress, context: LoopContext) {
        self.transport = transport
        self.peer = peer
        self.context = context
        head = HeadReader(limits: context.headLimits)
    }

    var loop: EventLoop { context.loop }
    var configuration: HTTPServerConfiguration { context.configuration }

    func start() {
        transport.setUp()
        timer.start(Timer(loop: loop) { [unowned self] in if timer.fired() { happened(.timedOut) } })
        watch = SocketWatch(
            loop: loop, descriptor: transport.descriptor, events: [.read, .write, .peerFinished, .edgeTriggered]
        ) { [unowned self] events in
            if events.contains(.peerFinished) { endInput() }
            input.mayHaveFailed = events.isSuperset(of: [.read, .write])
            if events.contains(.read) || input.hasEnded || transport.readNeedsWritable { input.isReadable = true }
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
        case .none: break
        case .startHandler: startHandler()
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
        case .abandon: abandonNow(input.hasFailed ? .clientGone : .writeTimeout)
        case .close: close()
        }
    }

    private func becomeIdle() {
        head.reset()
        setDeadline(.now + configuration.idleTimeout)
        if input.isUnread { readHead() }
        if context.isDraining { stopWhenIdle() }
    }

    // MARK: Heads

    func readHead() {
        while lifecycle.phase == .idle || lifecycle.phase == .readingHead {
            if input.hasPending {
                proceed(input.drain { head.parse($0) })
            } else {
                let mayRead = input.isReadable || lifecycle.phase == .readingHead && input.takeExtraRead()
                guard mayRead, receiveHead() else { return }
            }
        }
    }

    /// - Returns: whether input was read and parsed.
    private func receiveHead() -> Bool {
        let space = unsafe context.inputSpace
        guard let count = unsafe receive(into: space), count > 0 else { return false }
        // The context owns `inputSpace`, and nothing else reads into it before this turn ends.
        let bytes = unsafe UnsafeBufferPointer(rebasing: space.bindMemory(to: UInt8.self)[..<count])
        let (consumed, outcome) = unsafe head.parse(bytes.span)
        if consumed < count { unsafe input.keep(bytes[consumed...]) }
        proceed(outcome)
        return true
    }

    private func proceed(_ outcome: HeadParser.Outcome) {
        switch outcome {
        case .incomplete:
            if lifecycle.phase == .idle {
                happened(.headBegan)
                setDeadline(head.beganAt + configuration.headTimeout)
            }
        case .complete(let head, let rules): begin(head, rules)
        case .refused(let fault, let head): refuse(fault, head)
        }
    }

    private func begin(_ head: HTTPRequestHead, _ rules: MessageRules) {
        context.requests.add(1, ordering: .relaxed)
        lookForReceipts()
        exchange = makeExchange(head)
        exchange?.keepsAlive = rules.keepsAlive
        body = BodyIntake(rules: rules)
        setDeadline(nil)
        happened(.headEnded)
    }

    private func makeExchange(_ head: HTTPRequestHead?) -> Exchange {
        Exchange(
            head: head, handler: context.service.begin(head), peer: peer, receivedAt: self.head.beganAt,
            bytesReceived: self.head.takeCount())
    }

    private func startHandler() {
        guard let exchange, let head = exchange.head else { return }
        let handler = exchange.handler
        let request = HTTPRequest(
            head: head,
            body: RequestBody(declaredLength: body.declaredLength, connection: self, exchange: lifecycle.requests),
            peer: peer, loop: loop, receivedAt: exchange.receivedAt)
        let isReadAhead = body.framing != .none && !head.method.hasMeaningfulBody
        if !isReadAhead, !input.isUnread, let response = handler.immediateResponse(to: request) {
            return answer(response, end: .complete)
        }
        self.exchange?.task = loop.spawn { [self] in
            if isReadAhead, let refusal = await readBodyAhead() { return answer(refusal, end: .rejected) }
            answer(await handler.respond(to: request), end: .complete)
        }
    }

    func refuse(_ fault: HeadFault, _ head: HTTPRequestHead?) {
        exchange = makeExchange(head)
        body = BodyIntake()
        body.fail()
        answer(refusal(fault), end: .rejected)
    }

    // MARK: Input

    /// Reads once and updates the connection's state. `nil` if nothing was read; the reason has been handled.
    func receive(into space: UnsafeMutableRawBufferPointer) -> Int? {
        switch unsafe transport.receive(into: space) {
        case .bytes(0):
            input.isReadable = false
            finishInput()
            return nil
        case .bytes(let count):
            input.received(mayHoldMore: transport.mayHoldMore(after: count, of: space.count))
            return count
        case .handshaken:
            setDeadline(.now + configuration.idleTimeout)
            return unsafe receive(into: space)
        case .unfinished:
            input.isReadable = true
            loop.execute { [self] in drive() }
            return nil
        case .blocked:
            input.isReadable = false
            return nil
        case .failed:
            input.isReadable = false
            fail()
            return nil
        }
    }

    func fail() {
        input.fail()
        happened(.failed)
    }

    /// Sets when the current phase times out; `nil` for never.
    func setDeadline(_ deadline: MonotonicTime?) { timer.set(deadline) }

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
        (watch, output) = (nil, nil)
        timer.stop()
        input.clear()
        transport.close(resets: resets || resetsAtEnd)
        context.forget(self)
    }
}
