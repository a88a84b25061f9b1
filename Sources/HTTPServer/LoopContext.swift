internal import Base
internal import EventLoop
internal import Synchronization

/// What the connections of one loop share. Loop-confined but for the counters.
@safe final class LoopContext: @unchecked Sendable {
    // @unchecked: everything that changes is touched on the loop's thread alone, but for `requests`, an atomic.
    let loop: EventLoop
    let configuration: HTTPServerConfiguration
    let responder: any HTTPResponder
    let budget: ByteBudget
    let ledger: ConnectionLedger
    let index: Int
    /// Requests whose head was read.
    let requests = Atomic(0)

    /// Where heads and chunked bodies are read to before they are understood.
    let inputSpace: UnsafeMutableRawBufferPointer
    /// Where answers are rendered; kept for its room.
    var renderSpace: [UInt8] = []
    private(set) var isDraining = false
    private var connections: [ObjectIdentifier: Connection] = [:]
    private var date = DateLine()
    /// Those that wait to hear that an answer arrived.
    private var awaiting: [ObjectIdentifier: Connection] = [:]
    private var receiptTimer: Timer?
    private var isReceiptTimerArmed = false

    /// How often acknowledgements are looked for: Linux delays them by up to 40 ms, so that a look as seldom as that would
    /// often come just before.
    static let receiptInterval = Duration.milliseconds(15)

    private static let inputBytes = 16 << 10

    init(
        loop: EventLoop, index: Int, configuration: HTTPServerConfiguration, responder: any HTTPResponder,
        budget: ByteBudget, ledger: ConnectionLedger
    ) {
        self.loop = loop
        self.index = index
        self.configuration = configuration
        self.responder = responder
        self.budget = budget
        self.ledger = ledger
        unsafe inputSpace = .allocate(byteCount: Self.inputBytes, alignment: 64)
    }

    /// How large heads may be.
    var headLimits: HeadLimits {
        HeadLimits(
            headBytes: configuration.headBytes, fields: configuration.headFields,
            targetBytes: configuration.targetBytes)
    }

    deinit { unsafe inputSpace.deallocate() }

    /// The `Date` line of now.
    func dateLine() -> [UInt8] { date.bytes(at: WallClock.seconds) }

    /// Takes over a connection that the ledger has let in; plain without `tls`. Where there is no memory to serve it, it
    /// is closed.
    func adopt(_ descriptor: Int32, peer: SocketAddress, tls: TLSContext?) {
        guard let transport = transport(descriptor, tls) else {
            Transport.plain(descriptor: descriptor).close()
            return ledger.leave(peer, loop: index)
        }
        let connection = Connection(transport: transport, peer: peer, context: self)
        connections[ObjectIdentifier(connection)] = connection
        connection.start()
    }

    private func transport(_ descriptor: Int32, _ tls: TLSContext?) -> Transport? {
        guard let tls else { return .plain(descriptor: descriptor) }
        return TLSSession(tls, descriptor: descriptor).map { .tls($0) }
    }

    /// A connection has closed.
    func forget(_ connection: Connection) {
        connections[ObjectIdentifier(connection)] = nil
        ledger.leave(connection.peer, loop: index)
    }

    /// A connection waits to hear that an answer arrived.
    func awaitReceipt(_ connection: Connection) {
        awaiting[ObjectIdentifier(connection)] = connection
        armReceiptTimer()
    }

    func forgetReceipt(_ connection: Connection) {
        awaiting[ObjectIdentifier(connection)] = nil
        dropReceiptTimerAtEnd()
    }

    private func armReceiptTimer() {
        guard !isReceiptTimerArmed, !awaiting.isEmpty else { return }
        isReceiptTimerArmed = true
        let timer = receiptTimer ?? Timer(loop: loop) { [unowned self] in lookForReceipts() }
        receiptTimer = timer
        timer.arm(after: Self.receiptInterval)
    }

    private func lookForReceipts() {
        isReceiptTimerArmed = false
        for connection in awaiting.values { connection.lookForReceipts() }
        armReceiptTimer()
    }

    /// The timer must end on its loop, which the context need not.
    private func dropReceiptTimerAtEnd() {
        if isDraining, awaiting.isEmpty { (receiptTimer, isReceiptTimerArmed) = (nil, false) }
    }

    /// From now on each answer is its connection's last; idle connections close.
    func drain() {
        isDraining = true
        dropReceiptTimerAtEnd()
        for connection in connections.values { connection.stopWhenIdle() }
    }

    /// The idle connections, as far as `wanted` can be chosen of them.
    func idle(_ wanted: Int) -> IdleCensus {
        IdleCensus(wanted: wanted, connections.values.lazy.compactMap(\.idleness))
    }

    /// Closes idle connections.
    /// - Returns: how many.
    func closeIdle(_ cut: IdleCensus.Cut) -> Int {
        var closed = 0
        for connection in connections.values where connection.idleness.map(cut.includes) ?? false {
            // A request that has just arrived is served.
            connection.stopWhenIdle()
            if connection.lifecycle.phase == .closed { closed += 1 }
        }
        return closed
    }

    /// Answers 503 to requests that have not wholly arrived.
    func refuseUnread() {
        for connection in connections.values { connection.refuseUnread() }
    }

    /// Ends what is still there.
    func abandonAll() {
        for connection in connections.values { connection.abandon(.shutdown) }
    }
}
