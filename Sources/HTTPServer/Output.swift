internal import Base
internal import Sockets

/// The rest of an answer that is being written, and how fast the client reads it.
struct Output {
    private var bytes: OutgoingBytes
    private var rate: RateDeadline?

    /// Rendered bytes, then ranges of blocks.
    init(rendered: [UInt8], slices: [ByteSlice]) {
        bytes = OutgoingBytes(rendered: rendered, slices: slices)
    }

    /// Writes until everything is written, or the socket has no room.
    /// - Returns: how many bytes were written, and the outcome of the last call (`bytes` if everything is written).
    mutating func write(to transport: Transport) -> (count: Int, outcome: Transport.Outcome) {
        bytes.write(to: transport)
    }

    /// The time from which the client is too slow in reading the rest. It runs from the first call.
    /// - Parameter count: how many bytes were written since the last call.
    mutating func deadline(after count: Int, _ configuration: HTTPServerConfiguration) -> MonotonicTime {
        var known =
            rate
            ?? RateDeadline(
                from: .now, allowance: configuration.bodyTimeout, bytesPerSecond: configuration.minimumRate)
        known.transferred(count)
        rate = known
        return known.due
    }

    /// Returns the rendered bytes, so that their capacity can be reused.
    consuming func takeRendered() -> [UInt8] { bytes.takeRendered() }
}
