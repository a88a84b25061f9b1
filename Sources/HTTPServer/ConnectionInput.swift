/// The input side of a connection: the bytes that were read ahead, and the state of the socket.
struct ConnectionInput {
    /// Bytes that were read along with what came before them.
    private var pending: [UInt8] = []
    private var start = 0
    /// Whether the socket may have more to read.
    var isReadable = true
    /// Whether the socket was last reported both readable and writable. libevent reports a reset socket like that, and a
    /// healthy one too.
    var mayHaveFailed = false
    /// Whether the client has closed its side.
    private(set) var hasEnded = false
    /// Whether the connection was reset or has failed.
    private(set) var hasFailed = false
    /// How many bytes were discarded after the server has closed its side.
    private var discarded = 0

    var hasPending: Bool { !pending.isEmpty }

    /// Whether closing now could reset the connection before the client has read the answer.
    var isUnread: Bool { isReadable || hasPending }

    /// Keeps bytes that belong to what follows.
    mutating func keep(_ rest: some Sequence<UInt8>) { pending = Array(rest) }

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

    /// Drops what is pending.
    mutating func clear() {
        pending = []
        start = 0
    }

    /// Records that the client has closed its side.
    /// - Returns: false if that was known.
    mutating func end() -> Bool {
        defer { hasEnded = true }
        return !hasEnded
    }

    mutating func fail() { hasFailed = true }

    /// Records a read.
    /// - Parameter mayHoldMore: whether the socket may have more. A short read has emptied it: later input is reported again,
    ///   but a FIN is only reported once.
    mutating func received(mayHoldMore: Bool) { if !hasEnded { isReadable = mayHoldMore } }

    /// Whether to read once more although a short read has emptied the socket. When more input is expected, a reset after
    /// the bytes that were read would not be reported again.
    mutating func takeExtraRead() -> Bool {
        defer { mayHaveFailed = false }
        return mayHaveFailed
    }

    /// Counts discarded bytes.
    /// - Returns: whether there are more than `limit` by now.
    mutating func discard(_ count: Int, limit: Int) -> Bool {
        discarded += count
        return discarded > limit
    }
}
