internal import Base
internal import EventLoop
internal import Sockets

/// An established connection, which carries one exchange after the other. Loop-confined. It owns its socket.
///
/// It is registered for reading once, for its whole life: so an exchange costs no `epoll_ctl`, and the end of an idle
/// connection is noticed at once.
final class HTTP1Connection: TurnWriter {
    let destination: Destination
    let peer: IPAddress
    /// Since when it is idle.
    private(set) var idleSince = MonotonicTime.now
    /// How many exchanges it has begun.
    private(set) var exchanges = 0
    private unowned let pool: HTTP1Pool
    private let transport: Transport
    private var watch: SocketWatch?
    private var writeWatch: SocketWatch?
    private var exchange: Exchange?
    private var output: OutgoingBytes?
    private var call: HTTP1Call?
    /// The fields of the last answer, kept for their memory. If its receiver still has them, they are not written over.
    private var spareHeaders = HTTPClientHeaders()
    private var isOpen = true

    /// An idle connection is checked before it is used, if it was idle for longer than this. The watch has noticed
    /// everything that is older than the loop's current turn.
    private static let uncheckedIdleTime = Duration.seconds(1)

    /// Takes over an established transport.
    init(_ transport: Transport, peer: IPAddress, destination: Destination, pool: HTTP1Pool) {
        (self.transport, self.peer, self.destination, self.pool) = (transport, peer, destination, pool)
        watch = SocketWatch(loop: pool.loop, descriptor: transport.descriptor, events: .read) { [unowned self] _ in
            read()
        }
    }

    /// How many bytes of the current exchange were sent and received.
    var moved: Int { (exchange?.written ?? 0) + (exchange?.answer.received ?? 0) }

    // MARK: Exchanges

    /// Sends a call's request at the end of the loop's turn, and passes its outcome to the pool.
    func begin(_ call: HTTP1Call, limits: AnswerParser.Limits) {
        call.stage = .exchanging(self)
        self.call = call
        exchange = Exchange(
            call.request.method, count: call.head.count + call.bodyCount, isReused: exchanges > 0, limits: limits,
            over: spareHeaders)
        spareHeaders = .init()
        output = OutgoingBytes(rendered: call.head, slices: call.request.body)
        exchanges += 1
        pool.loop.writeAtEndOfTurn(self)
    }

    /// Whether the connection may be used: whether nothing has arrived while it was idle.
    func isQuiet(at now: MonotonicTime) -> Bool {
        // A server that closes after its first answer without saying so may just have done that.
        if exchanges > 1, now - idleSince < Self.uncheckedIdleTime { return true }
        return unsafe transport.receive(into: pool.space) == .blocked
    }

    /// Closes the connection in the middle of an exchange, which is returned.
    func drop() -> Exchange? {
        defer { close() }
        return exchange
    }

    /// Closes the connection. An exchange that is in progress is dropped.
    func close() {
        guard isOpen else { return }
        isOpen = false
        keepTicket()
        (watch, writeWatch) = (nil, nil)
        (call, exchange, output) = (nil, nil, nil)
        transport.close()
    }

    /// Writes what there is to write, and the socket has room for.
    func write() {
        guard var output = output.take() else { return }
        let before = bytesOnSocket
        let (count, outcome) = output.write(to: transport)
        if outcome == .blocked {
            self.output = output
            waitForRoom()
        } else {
            writeWatch?.pause()
        }
        let current = call
        if count > 0 {
            happened(.wrote(count))
        } else if bytesOnSocket != before {
            happened(.mayHaveWritten)
        }
        // If the exchange has ended, the connection may be closed by now, or carry the next one.
        if outcome == .failed, call === current { happened(isSecure ? .broke : .couldNotWrite) }
    }

    private func waitForRoom() {
        if let writeWatch { return writeWatch.isWatching ? () : writeWatch.resume() }
        writeWatch = SocketWatch(
            loop: pool.loop, descriptor: transport.descriptor, events: .write
        ) { [unowned self] _ in
            if exchange?.wantsToWrite ?? false { write() } else { writeWatch?.pause() }
        }
    }

    private func read() {
        while isOpen {
            let outcome = unsafe transport.receive(into: pool.space)
            switch outcome {
            case .bytes(0): return happened(.ended(isClean: endsCleanly))
            case .bytes(let count):
                unsafe happened(.received(.init(rebasing: pool.space[..<count])))
                if unsafe !transport.mayHoldMore(after: count, of: pool.space.count) { return }
            case .blocked, .unfinished, .handshaken: return
            case .failed: return happened(.broke)
            }
        }
    }

    private func happened(_ event: Exchange.Event) {
        guard exchange != nil else {
            // Nothing was asked for: whatever has arrived makes the connection useless.
            return pool.closeIdle(self)
        }
        var receivedAt: MonotonicTime?
        if case .received = event, let call {
            let now = MonotonicTime.now
            if call.timings.firstByte == .zero { call.timings.firstByte = now - call.started }
            receivedAt = now
        }
        guard let action = exchange?.happened(event), action != .proceed else { return }
        guard let call = call.take(), let ended = exchange.take() else { return }
        output = nil
        writeWatch?.pause()
        idleSince = receivedAt ?? .now
        if ended.answer.headers.isSmall { spareHeaders = ended.answer.headers }
        keepTicket()
        pool.exchangeEnded(self, call, ended, action)
    }

    // MARK: Transport

    private var isSecure: Bool { if case .tls = transport { true } else { false } }

    private var bytesOnSocket: Int { if case .tls(let session) = transport { session.bytesWritten } else { 0 } }

    /// Whether the end that was just read cannot have been made by someone on the way.
    private var endsCleanly: Bool { if case .tls(let session) = transport { session.hasEndedCleanly } else { true } }

    private func keepTicket() {
        if case .tls(let session) = transport, let ticket = session.ticket { destination.keep(ticket) }
    }
}
