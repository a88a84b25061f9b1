internal import Base
internal import Sockets

/// Takes a request's body from the socket: knows how much of it has been read, and where it is stored.
struct BodyIntake {
    enum Step: Sendable {
        /// The body is complete.
        case complete
        /// Nothing more could be read; the outcome says why. At the end of a turn it is `unfinished`.
        case blocked(Transport.Outcome)
        /// A chunked body has filled the block.
        case needsRoom
        case failed(RequestBodyError)
    }

    /// The part of the body that has not been read.
    enum Remainder: Hashable {
        case nothing
        case bytes(Int)
        /// It may be long, or its end is unknown.
        case unknown
    }

    private enum State { case unread, reading, finished, failed }

    private let framing: BodyFraming
    private var framer: BodyFramer
    private var state: State
    /// Whether the client still waits for `100 Continue`.
    private var awaitsContinue: Bool
    /// Where the data goes; nil when the body is discarded.
    private var block: Bytes?
    /// Bytes of the body that were read, including the chunked coding.
    private(set) var received = 0
    private var rate: RateDeadline?

    init(_ rules: MessageRules) {
        framing = rules.framing
        framer = BodyFramer(framing, limit: .max)
        state = framing == .none ? .finished : .unread
        awaitsContinue = rules.expectsContinue
    }

    /// `Content-Length`; 0 without a body, `nil` for a chunked one.
    var declaredLength: Int? {
        switch framing {
        case .none: 0
        case .length(let count): count
        case .chunked: nil
        }
    }

    var remainder: Remainder {
        switch state {
        case .finished: .nothing
        case .failed, .reading: .unknown
        case .unread: awaitsContinue ? .unknown : framer.plainRemainder.map(Remainder.bytes) ?? .unknown
        }
    }

    /// Returns whether to send `100 Continue` now; true at most once.
    mutating func takeContinue() -> Bool {
        defer { awaitsContinue = false }
        return awaitsContinue
    }

    /// The time from which the rest of the body is late. It runs from the first call.
    mutating func deadline(_ configuration: HTTPServerConfiguration) -> MonotonicTime {
        let known =
            rate
            ?? RateDeadline(
                from: .now, allowance: configuration.bodyTimeout, bytesPerSecond: configuration.minimumRate)
        rate = known
        return known.due
    }

    // MARK: Collecting

    /// Starts to collect the body in `block`.
    mutating func begin(limit: Int, block: Bytes) {
        precondition(state == .unread, "a body is collected once")
        state = .reading
        self.block = block
        framer = BodyFramer(framing, limit: limit)
    }

    /// Copies what was collected to `larger`, and continues there.
    mutating func move(to larger: Bytes) {
        if let block { unsafe block.withUnsafeBytes { unsafe larger.append(contentsOf: $0) } }
        block = larger
    }

    mutating func finish() {
        state = .finished
        block = nil
    }

    mutating func fail() {
        state = .failed
        block = nil
    }

    // MARK: Reading

    /// Reads what is available, for one turn.
    mutating func read(from socket: inout ConnectionSocket) -> Step {
        var turn = ConnectionSocket.bytesPerTurn
        do throws(ChunkFault) {
            while !framer.isComplete {
                if socket.hasPending {
                    if try takePending(of: &socket) == 0 { return .needsRoom }
                } else if turn <= 0 {
                    return .blocked(.unfinished)
                } else {
                    guard socket.isReadable || socket.takeExtraRead() else { return .blocked(.blocked) }
                    switch try readOnce(from: &socket) {
                    case .read(let count): turn -= count
                    case .nothing(let outcome): return .blocked(outcome)
                    }
                }
            }
            return .complete
        } catch {
            return .failed(error == .tooLarge ? .tooLarge(limit: 0) : .malformed)
        }
    }

    private mutating func takePending(of socket: inout ConnectionSocket) throws(ChunkFault) -> Int {
        try socket.drain { (bytes) throws(ChunkFault) in
            let count = try take(bytes)
            return (count, count)
        }
    }

    /// Reads once, directly into the block if only data can follow.
    private mutating func readOnce(
        from socket: inout ConnectionSocket
    ) throws(ChunkFault) -> ConnectionSocket.ReadResult<Int> {
        if let rest = framer.plainRemainder, let block {
            return readData(from: &socket, into: block, atMost: rest)
        }
        return try socket.read { (bytes) throws(ChunkFault) in (try take(bytes), bytes.count) }
    }

    private mutating func readData(
        from socket: inout ConnectionSocket, into block: Bytes, atMost rest: Int
    ) -> ConnectionSocket.ReadResult<Int> {
        var outcome = Transport.Outcome.blocked
        let count = unsafe block.append { space in
            outcome = unsafe socket.receive(into: UnsafeMutableRawBufferPointer(rebasing: space[..<rest]))
            if case .bytes(let count) = outcome { return count }
            return 0
        }
        guard count > 0 else { return .nothing(outcome) }
        framer.took(count)
        add(count)
        return .read(count)
    }

    /// Consumes the part of `input` that belongs to the body and fits into the block.
    private mutating func take(_ input: Span<UInt8>) throws(ChunkFault) -> Int {
        let block = self.block
        let room = block.map { $0.capacity - $0.count } ?? .max
        let count = try framer.take(input, room: room) { range in
            guard let block else { return }
            let part = input.extracting(range)
            unsafe part.withUnsafeBufferPointer { bytes in
                unsafe block.append(contentsOf: UnsafeRawBufferPointer(bytes))
            }
        }
        add(count)
        return count
    }

    private mutating func add(_ count: Int) {
        received += count
        rate?.transferred(count)
    }
}
