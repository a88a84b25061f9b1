internal import Base

/// How much of a request's body has been read, and where it is stored. No I/O.
struct BodyIntake {
    enum Step: Sendable {
        /// The body is complete.
        case complete
        /// More input is needed from the socket.
        case blocked
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

    let framing: BodyFraming
    /// Whether the client still waits for `100 Continue`.
    var awaitsContinue = false
    var framer: BodyFramer
    /// Where the data goes; nil when the body is discarded.
    var block: Bytes?
    /// The body, if it was read before the handler was called.
    var readAhead: Bytes?
    /// Bytes of the body that were read, including the chunked coding.
    private(set) var received = 0
    private var state: State
    private var rate: RateDeadline?

    /// Makes the intake of a request without a body.
    init() { self.init(framing: .none, awaitsContinue: false) }

    init(rules: MessageRules) { self.init(framing: rules.framing, awaitsContinue: rules.expectsContinue) }

    private init(framing: BodyFraming, awaitsContinue: Bool) {
        self.framing = framing
        self.awaitsContinue = awaitsContinue
        framer = BodyFramer(framing, limit: .max)
        state = framing == .none ? .finished : .unread
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

    /// Starts to collect the body in `block`.
    mutating func begin(limit: Int, block: Bytes) {
        precondition(state == .unread, "a body is collected once")
        state = .reading
        self.block = block
        framer = BodyFramer(framing, limit: limit)
    }

    mutating func finish() {
        state = .finished
        block = nil
    }

    mutating func fail() {
        state = .failed
        block = nil
    }

    /// Records that `count` bytes were read from the client.
    mutating func received(_ count: Int) {
        received += count
        rate?.made(count)
    }

    /// When the rest of the body is late. The time runs from the first call.
    mutating func deadline(_ configuration: HTTPServerConfiguration) -> MonotonicTime {
        let known =
            rate
            ?? RateDeadline(
                from: .now, allowance: configuration.bodyTimeout, bytesPerSecond: configuration.minimumRate)
        rate = known
        return known.due
    }

    /// Consumes the part of `input` that belongs to the body and fits into the block.
    mutating func take(_ input: Span<UInt8>) throws(ChunkFault) -> Int {
        let block = self.block
        let room = block.map { $0.capacity - $0.count } ?? .max
        let count = try framer.take(input, room: room) { range in
            guard let block else { return }
            let part = input.extracting(range)
            unsafe part.withUnsafeBufferPointer { bytes in
                unsafe block.append(contentsOf: UnsafeRawBufferPointer(bytes))
            }
        }
        received(count)
        return count
    }
}
