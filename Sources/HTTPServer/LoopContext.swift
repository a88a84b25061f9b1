internal import Base
internal import EventLoop
internal import Sockets
internal import Synchronization

/// State that the connections of one loop share. Loop-confined except for the counter.
@safe final class LoopContext: @unchecked Sendable {
    // @unchecked: all mutable state is only accessed on the loop's thread, except for `requests`, which is atomic.
    let loop: EventLoop
    let configuration: HTTPServerConfiguration
    let service: any HTTPService
    /// The blocks of large bodies.
    let blocks: BodyBlocks
    let ledger: ConnectionLedger
    let index: Int
    /// Requests whose head was read.
    let requests = Atomic(0)

    /// The buffer that heads and chunked bodies are read into before they are parsed.
    let inputSpace: UnsafeMutableRawBufferPointer
    /// The buffer that answers are rendered into; kept for its capacity.
    var renderSpace: [UInt8] = []
    private(set) var isDraining = false
    private var connections: [ObjectIdentifier: Connection] = [:]
    private var date = DateLine()
    /// Connections with answers that are not acknowledged yet.
    private var awaiting: [Connection] = []
    private var receiptTimer: Timer?
    private var isReceiptTimerArmed = false

    /// How often acknowledgements are polled. Linux delays them by up to 40 ms, so polling at that interval would often
    /// just miss them.
    static let receiptInterval = Duration.milliseconds(15)

    private static let inputBytes = 16 << 10

    init(
        loop: EventLoop, index: Int, configuration: HTTPServerConfiguration, service: any HTTPService,
        budget: ByteBudget, spares: SpareMappings, ledger: ConnectionLedger
    ) {
        self.loop = loop
        self.index = index
        self.configuration = configuration
        self.service = service
        blocks = BodyBlocks(loop: loop, budget: budget, spares: spares)
        self.ledger = ledger
        unsafe inputSpace = .allocate(byteCount: Self.inputBytes, alignment: 64)
    }

    /// The limits on the size of heads.
    var headLimits: HeadLimits {
        HeadLimits(
            headBytes: configuration.headBytes, fields: configuration.headFields,
            targetBytes: configuration.targetBytes)
    }

    deinit { unsafe inputSpace.deallocate() }

    /// The `Date` line for the current time.
    func dateLine() -> [UInt8] { date.bytes(at: WallClock.seconds) }

    /// Takes over a connection that the ledger has admitted; without `tls` it is plain. If there is no memory to serve
    /// it, it is closed.
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
        return tls.makeSession(descriptor: descriptor).map { .tls($0) }
    }

    /// Removes a connection that has closed.
    func forget(_ connection: Connection) {
        connections[ObjectIdentifier(connection)] = nil
        ledger.leave(connection.peer, loop: index)
    }

    /// Adds a connection that waits for an acknowledgement.
    func awaitReceipt(_ connection: Connection) {
        if connection.receipts.place != nil { return }
        connection.receipts.place = awaiting.count
        awaiting.append(connection)
        armReceiptTimer()
    }

    func forgetReceipt(_ connection: Connection) {
        // The last connection takes its place.
        if let place = connection.receipts.place.take(), let last = awaiting.popLast(), last !== connection {
            awaiting[place] = last
            last.receipts.place = place
        }
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
        for connection in awaiting { connection.lookForReceipts() }
        armReceiptTimer()
    }

    /// Releases the timer, which must happen on its loop; the context may be released elsewhere.
    private func dropReceiptTimerAtEnd() {
        if isDraining, awaiting.isEmpty { (receiptTimer, isReceiptTimerArmed) = (nil, false) }
    }

    /// Makes each further answer its connection's last, and closes idle connections.
    func drain() {
        isDraining = true
        dropReceiptTimerAtEnd()
        blocks.stop()
        for connection in connections.values { connection.stopWhenIdle() }
    }

    /// The idle connections, for a choice of `wanted` of them.
    func idle(_ wanted: Int) -> IdleCensus {
        IdleCensus(wanted: wanted, connections.values.lazy.compactMap(\.idleness))
    }

    /// Closes the idle connections that `cut` includes.
    /// - Returns: how many were closed.
    func closeIdle(_ cut: IdleCensus.Cut) -> Int {
        var closed = 0
        for connection in connections.values where connection.idleness.map(cut.includes) ?? false {
            // A request that has just arrived is served.
            connection.stopWhenIdle()
            if connection.lifecycle.phase == .closed { closed += 1 }
        }
        return closed
    }

    /// Answers 503 to requests that have not completely arrived.
    func refuseUnread() {
        for connection in connections.values { connection.refuseUnread() }
    }

    /// Abandons all connections that are left.
    func abandonAll() {
        for connection in connections.values { connection.happened(.shutDown) }
    }
}
