internal import Base
internal import Sockets

/// Reads the head of one request after another, and notes when each began and how long it is.
struct HeadReader {
    private let limits: HeadLimits
    private var parser: HeadParser
    /// When the current head began.
    private(set) var beganAt = MonotonicTime(nanoseconds: 0)
    private var count = 0

    init(limits: HeadLimits) {
        self.limits = limits
        parser = HeadParser(limits: limits)
    }

    /// Prepares for the next head.
    mutating func reset() { parser = HeadParser(limits: limits) }

    /// Parses pending input, or if there is none, what one read of the socket returns.
    mutating func read(from socket: inout ConnectionSocket) -> ConnectionSocket.ReadResult<HeadParser.Outcome> {
        if socket.hasPending { return .read(socket.drain { parse($0) }) }
        guard socket.isReadable || hasBegun && socket.takeExtraRead() else { return .nothing(.blocked) }
        return socket.read { parse($0) }
    }

    /// Returns how many bytes the head has, and counts from 0 again.
    mutating func takeCount() -> Int {
        defer { count = 0 }
        return count
    }

    private var hasBegun: Bool { count > 0 }

    private mutating func parse(_ input: Span<UInt8>) -> (consumed: Int, value: HeadParser.Outcome) {
        let (consumed, outcome) = parser.parse(input)
        if !hasBegun { beganAt = .now }
        count += consumed
        return (consumed, outcome)
    }
}
