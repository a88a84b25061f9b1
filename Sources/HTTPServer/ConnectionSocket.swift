internal import EventLoop
internal import Sockets

/// A connection's socket, with what was reported about it and the bytes that were read ahead.
///
/// The socket is registered once, edge-triggered, for its whole life, so each report is remembered until it is used.
struct ConnectionSocket {
    /// The result of an attempt to read.
    enum ReadResult<Value> {
        /// Bytes were read, with this result.
        case read(Value)
        /// Nothing was read; the outcome says why. It has `bytes(0)` for the client's end, and no other bytes.
        case nothing(Transport.Outcome)
    }

    let transport: Transport
    private let context: LoopContext
    private var watch: SocketWatch?
    /// Bytes that were read along with what came before them.
    private var pending: [UInt8] = []
    private var start = 0
    /// Whether the socket may have more to read.
    private(set) var isReadable = true
    /// Whether the socket was last reported both readable and writable. libevent reports a reset socket like that, and a
    /// healthy one too.
    private var mayHaveFailed = false
    /// Whether the client has closed its side.
    private(set) var hasEnded = false

    /// Bytes read before other connections get their turn.
    static let bytesPerTurn = 256 << 10

    init(_ transport: Transport, context: LoopContext) {
        self.transport = transport
        self.context = context
    }

    // MARK: Events

    /// Starts to watch the socket.
    /// - Parameter body: called on the loop for each report, which it passes to ``reported(_:)``.
    /// - Returns: false if the system has no memory for it.
    mutating func startWatching(_ body: @escaping (SocketEvents) -> Void) -> Bool {
        let watch = SocketWatch(
            loop: context.loop, descriptor: transport.descriptor,
            events: [.read, .write, .peerFinished, .edgeTriggered], body)
        self.watch = watch
        return watch.isWatching
    }

    /// Records what the loop reported.
    mutating func reported(_ events: SocketEvents) {
        mayHaveFailed = events.isSuperset(of: [.read, .write])
        if events.contains(.read) || hasEnded || transport.readNeedsWritable { isReadable = true }
    }

    /// Makes the next read ask the system, even if nothing was reported.
    mutating func assumeReadable() { isReadable = true }

    /// Records that the client has closed its side.
    /// - Returns: false if that was already known.
    mutating func end() -> Bool {
        defer { hasEnded = true }
        return !hasEnded
    }

    // MARK: Reading

    var hasPending: Bool { !pending.isEmpty }

    /// Whether closing now could reset the connection before the client has read the answer.
    var isUnread: Bool { isReadable || hasPending }

    /// Whether the client has closed its side, and everything that it sent was read from the socket.
    var isExhausted: Bool { hasEnded && !isReadable }

    /// Whether to read once more although a short read has emptied the socket. When more input is expected, a reset after
    /// the bytes that were read would not be reported again.
    mutating func takeExtraRead() -> Bool {
        defer { mayHaveFailed = false }
        return mayHaveFailed
    }

    /// Has `body` consume pending bytes.
    /// - Parameter body: gets what is pending; returns how many bytes it has consumed, and a result.
    mutating func drain<Value, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> (consumed: Int, value: Value)
    ) throws(Failure) -> Value {
        let input = pending
        let (consumed, value) = try body(input.span.extracting(start..<input.count))
        start += consumed
        if start == pending.count { clear() }
        return value
    }

    /// Reads once and has `body` consume what was read; the rest becomes pending. Nothing must be pending before.
    /// - Parameter body: returns how many bytes it has consumed, and a result.
    mutating func read<Value, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> (consumed: Int, value: Value)
    ) throws(Failure) -> ReadResult<Value> {
        let space = unsafe context.inputSpace
        let outcome = unsafe receive(into: space)
        guard case .bytes(let count) = outcome, count > 0 else { return .nothing(outcome) }
        // The context owns `inputSpace`, and nothing else reads into it before this function returns.
        let bytes = unsafe UnsafeBufferPointer(rebasing: space.bindMemory(to: UInt8.self)[..<count])
        let (consumed, value) = unsafe try body(bytes.span)
        if consumed < count { unsafe pending = Array(bytes[consumed...]) }
        return .read(value)
    }

    /// Reads once into `space`, past what is pending. A short read has emptied the socket: later input is reported
    /// again, but a FIN is only reported once.
    mutating func receive(into space: UnsafeMutableRawBufferPointer) -> Transport.Outcome {
        let outcome = unsafe transport.receive(into: space)
        switch outcome {
        case .bytes(0), .blocked, .failed: isReadable = false
        case .bytes(let count):
            if !hasEnded { isReadable = transport.mayHoldMore(after: count, of: space.count) }
        case .unfinished: isReadable = true
        case .handshaken: break
        }
        return outcome
    }

    /// Reads and discards what the client still sends, for one turn.
    /// - Returns: how many bytes were discarded, and why it stopped.
    mutating func discard() -> (count: Int, end: Transport.Outcome) {
        var total = 0
        while isReadable {
            guard total < Self.bytesPerTurn else { return (total, .unfinished) }
            let outcome = unsafe receive(into: context.inputSpace)
            guard case .bytes(let count) = outcome, count > 0 else { return (total, outcome) }
            total += count
        }
        return (total, .blocked)
    }

    // MARK: End

    /// Whether the socket is watched, and not closed yet.
    var isOpen: Bool { watch != nil }

    /// Stops watching, and closes the socket; `resets` sends RST in place of FIN.
    mutating func close(resets: Bool) {
        watch = nil
        clear()
        transport.close(resets: resets)
    }

    private mutating func clear() {
        pending = []
        start = 0
    }
}
