/// Finds the end of a body in the input, whether it is delimited by `Content-Length` or by chunks.
struct BodyFramer {
    private enum Source {
        case length(remaining: Int)
        case chunked(ChunkedDecoder)
    }

    private var source: Source

    /// - Parameter limit: the most bytes of data to accept from a chunked body.
    init(_ framing: BodyFraming, limit: Int) {
        source =
            switch framing {
            case .none: .length(remaining: 0)
            case .length(let count): .length(remaining: count)
            case .chunked: .chunked(ChunkedDecoder(limit: limit))
            }
    }

    /// Whether the body has ended.
    var isComplete: Bool {
        switch source {
        case .length(let remaining): remaining == 0
        case .chunked(let decoder): decoder.isComplete
        }
    }

    /// How many more bytes belong to the body, all of them data; `nil` for a chunked body.
    var plainRemainder: Int? {
        if case .length(let remaining) = source { return remaining }
        return nil
    }

    /// Records that `count` bytes of the plain remainder were read directly.
    mutating func took(_ count: Int) {
        if case .length(let remaining) = source { source = .length(remaining: remaining - count) }
    }

    /// Consumes `input` up to the end of the body, or until it has found `room` bytes of data, and passes the ranges of
    /// data to `data` in order.
    /// - Returns: how many bytes were consumed.
    mutating func take(
        _ input: Span<UInt8>, room: Int, _ data: (Range<Int>) -> Void
    ) throws(ChunkFault) -> Int {
        switch source {
        case .length(let remaining):
            let count = min(remaining, input.count, room)
            data(0..<count)
            source = .length(remaining: remaining - count)
            return count
        case .chunked(var decoder):
            let count = try decoder.decode(input, room: room, data)
            source = .chunked(decoder)
            return count
        }
    }
}
