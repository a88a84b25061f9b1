internal import Base
internal import EventLoop
internal import Sockets
internal import Synchronization

/// One client's connection: its ``ConnectionLifecycle``, and the parts that do the work of its phases. Loop-confined.
final class Connection: TurnWriter, @unchecked Sendable {
    // @unchecked: all state is only accessed on the context's loop; its watch and timer check that.
    let context: LoopContext
    let peer: SocketAddress
    private(set) var lifecycle = ConnectionLifecycle()
    var socket: ConnectionSocket
    /// Times out the current phase.
    var timer = PhaseTimer()
    private var heads: HeadReader
    private var exchange: Exchange?
    /// The body of the request in progress, until the rest of it is discarded.
    private(set) var body: RequestBody?
    private var writer: AnswerWriter
    var receipts = Receipts()

    init(transport: Transport, peer: SocketAddress, context: LoopContext) {
        self.peer = peer
        self.context = context
        socket = ConnectionSocket(transport, context: context)
        heads = HeadReader(limits: context.headLimits)
        writer = AnswerWriter(context: context)
    }

    var loop: EventLoop { context.loop }
    var configuration: HTTPServerConfiguration { context.configuration }

    // MARK: Driving

    func start() {
        socket.transport.setUp()
        timer.start(Timer(loop: loop) { [unowned self] in if timer.fired() { happened(.timedOut) } })
        let isWatching = socket.startWatching { [unowned self] events in
            if events.contains(.peerFinished) { endInput() }
            socket.reported(events)
            drive()
        }
        guard isWatching else { return happened(.failed) }
        let isEncrypted = socket.transport.beginsWithHandshake
        timer.set(.now + (isEncrypted ? configuration.headTimeout : configuration.idleTimeout))
    }

    /// Continues the current phase after an event.
    private func drive() {
        switch lifecycle.phase {
        case .idle, .readingHead: readHeads()
        case .handling: if body?.drive() != true, socket.transport.end == .connection { happened(.failed) }
        case .writing: write()
        case .discarding: if let event = body?.discard() { happened(event) }
        case .lingering:
            let (count, end) = socket.discard()
            timer.received(count)
            readNothing(end)
        case .awaitingReceipt: lookForReceipts()
        case .closed: break
        }
    }

    /// Moves to the phase that follows an event, and does what that phase begins with.
    func happened(_ event: ConnectionLifecycle.Event) { perform(lifecycle.handle(event)) }

    private func perform(_ action: ConnectionLifecycle.Action) {
        switch action {
        case .none: break
        case .startHandler: startHandler()
        case .write: loop.writeAtEndOfTurn(self)
        case .readHead: becomeIdle()
        case .discardBody:
            body?.setDeadline()
            drive()
        case .linger:
            socket.transport.finish()
            timer.linger(
                LingerDeadline(
                    from: .now, pause: configuration.lingerTimeout, bytesPerSecond: configuration.minimumRate,
                    limit: configuration.lingerLimit))
            drive()
        case .awaitReceipt: timer.set(.now + Receipts.patience)
        case .refuseLateHead: refuse(HeadFault(408, "The request did not arrive in time."), nil)
        case .failBody: body?.wake(.failed(socket.hasEnded ? .clientGone : .timedOut))
        case .abandon(let end): abandon(end)
        case .close: close()
        }
    }

    // MARK: Requests

    private func becomeIdle() {
        heads.reset()
        body = nil
        timer.set(.now + configuration.idleTimeout)
        if socket.isUnread { readHeads() }
        if context.isDraining { stopWhenIdle() }
    }

    private func readHeads() {
        while lifecycle.awaitsHead {
            switch heads.read(from: &socket) {
            case .read(.incomplete):
                if lifecycle.phase == .idle {
                    happened(.headBegan)
                    timer.set(heads.beganAt + configuration.headTimeout)
                }
            case .read(.complete(let head, let rules)): begin(head, rules)
            case .read(.refused(let fault, let head)): refuse(fault, head)
            case .nothing(let outcome): return readNothing(outcome)
            }
        }
    }

    private func begin(_ head: HTTPRequestHead, _ rules: MessageRules) {
        context.requests.add(1, ordering: .relaxed)
        lookForReceipts()
        exchange = makeExchange(head, keepsAlive: rules.keepsAlive)
        body = RequestBody(rules, connection: self, isFirst: lifecycle.requests == 0)
        timer.set(nil)
        happened(.headEnded)
    }

    private func makeExchange(_ head: HTTPRequestHead?, keepsAlive: Bool) -> Exchange {
        Exchange(
            head: head, handler: context.service.begin(head), peer: peer, receivedAt: heads.beganAt,
            bytesReceived: heads.takeCount(), keepsAlive: keepsAlive)
    }

    private func startHandler() {
        guard let head = exchange?.head, let handler = exchange?.handler, let body else { return }
        let request = HTTPRequest(head: head, body: body, receivedAt: heads.beganAt)
        let isReadAhead = body.declaredLength != 0 && !head.method.hasMeaningfulBody
        if !isReadAhead, !socket.isUnread, let response = handler.immediateResponse(to: request) {
            return answer(response, end: .complete)
        }
        // Unlike a closure, a function takes the isolation of its caller, without a conversion and a switch of executors.
        @Sendable func serve() async {
            if isReadAhead, let fault = await request.body.collectAhead() { return refuse(fault) }
            answer(await handler.respond(to: request), end: .complete)
        }
        self.exchange?.task = loop.start(serve)
    }

    /// The task of the handler in progress.
    var handlerTask: PooledTask? { exchange?.task }

    // MARK: Answers

    /// Refuses a request whose head could not be read, or is not valid.
    private func refuse(_ fault: HeadFault, _ head: HTTPRequestHead?) {
        exchange = makeExchange(head, keepsAlive: false)
        body = nil
        refuse(fault)
    }

    private func refuse(_ fault: HeadFault) {
        if let refusal = exchange?.refusal(fault) { answer(refusal, end: .rejected) }
    }

    /// Sends the handler's answer, or the server's own refusal.
    private func answer(_ response: HTTPResponse, end: HTTPExchange.End) {
        guard lifecycle.phase != .closed, let keepsAlive = exchange?.keepsAlive else { return }
        exchange?.answered(response.status, end: end)
        let head = exchange?.head
        let next =
            response.wire != nil
            ? .close
            : ConnectionLifecycle.NextStep(
                isLast: response.closes || !keepsAlive || context.isDraining
                    || response.body.count == nil && head?.version == .http10,
                remainder: body?.remainder ?? .unknown, mustLinger: socket.isUnread || receipts.isWatched)
        writer.begin(response, to: head, closes: next.isEnd)
        happened(.answered(then: next))
    }

    /// Writes as much of the answer as the socket has room for, unless the connection has ended.
    func write() {
        guard case .writing = lifecycle.phase else { return }
        switch writer.write(to: socket.transport, isLast: lifecycle.endsWithAnswer) {
        case .nothing: if socket.transport.end == .connection { happened(.failed) }
        case .wantsPart(let next):
            timer.set(nil)
            askForPart(next)
        case .written:
            timer.set(nil)
            if receipts.answerWasWritten() { context.awaitReceipt(self) }
            finishExchange(exchange?.end ?? .complete)
            happened(.written)
        case .blocked(let deadline): timer.set(deadline)
        case .failed: happened(.failed)
        }
    }

    /// Has the next part of a streamed body made, and writes it.
    private func askForPart(_ next: @escaping HTTPResponse.Body.NextPart) {
        exchange?.task = loop.start { [self] in
            do {
                let part = try await next()
                guard case .writing = lifecycle.phase else { return }
                writer.add(part)
                write()
            } catch {
                if case .writing = lifecycle.phase { happened(.failed) }
            }
        }
    }

    /// Sends `100 Continue`.
    func sendContinue() { if !writer.writeContinue(to: socket.transport) { happened(.failed) } }

    private func finishExchange(_ end: HTTPExchange.End) {
        guard let exchange = exchange.take() else { return }
        exchange.handler.didFinish(
            exchange.report(end, bodyBytes: body?.received ?? 0, bytesSent: writer.takeCount()))
    }

    // MARK: Input

    /// Handles a read that returned nothing: `bytes` is the client's end.
    func readNothing(_ outcome: Transport.Outcome) {
        switch outcome {
        case .bytes: finishInput()
        case .handshaken:
            timer.set(.now + configuration.idleTimeout)
            drive()
        case .unfinished: loop.execute { [self] in drive() }
        case .blocked: break
        case .failed: happened(.failed)
        }
    }

    // MARK: Closing

    private func abandon(_ end: HTTPExchange.End) {
        exchange?.task?.cancel()
        receipts.takeWatcher()?.answerWasLost()
        body?.wake(.failed(.clientGone))
        finishExchange(end)
        close(resets: end == .writeTimeout)
    }

    private func close(resets: Bool = false) {
        guard socket.isOpen else { return }
        endReceipts()
        writer.clear()
        body = nil
        timer.stop()
        socket.close(resets: resets || writer.resetsAtEnd)
        context.forget(self)
    }

    // MARK: Stopping

    /// How long the connection has been idle; nil if it is not. It is also idle if the client has sent nothing of a TLS
    /// handshake.
    var idleness: Idleness? {
        let transport = socket.transport
        guard lifecycle.phase == .idle, let deadline = timer.deadline, transport.isReady || !transport.hasReceived
        else { return nil }
        let patience = transport.isReady ? configuration.idleTimeout : configuration.headTimeout
        return Idleness(since: deadline + (.zero - patience), isStranger: !writer.hasServed)
    }

    /// Answers 503 to a request that has not completely arrived: there is no time left for the rest.
    func refuseUnread() {
        switch lifecycle.phase {
        case .readingHead: refuse(HeadFault(503, "The server is stopping. Send the request again."), nil)
        case .handling where body?.remainder != .nothing: exchange?.task?.cancel()
        default: break
        }
    }

    /// Closes the connection if no part of another request has arrived.
    func stopWhenIdle() {
        guard lifecycle.phase == .idle else { return }
        socket.assumeReadable()
        readHeads()
        happened(.stopping)
    }
}
