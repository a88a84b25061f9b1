/// Finds a body's end in what arrives, for both kinds of delimiting.
struct BodyFramer {
    private enum Source {
        case length(remaining: Int)
        case chunked(ChunkedDecoder)
    }

    private var source: Source

    /// - Parameter limit: the most bytes of data to accept of a chunked body.
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

    /// How many more bytes belong to the body, all of them data; `nil` where that is not known.
    var plainRemainder: Int? {
        if case .length(let remaining) = source { return remaining }
        return nil
    }

    /// `count` bytes of a plain remainder were read directly.
    mutating func took(_ count: Int) {
        if case .length(let remaining) = source { source = .length(remaining: remaining - count) }
    }

    /// Takes in `input` up to the body's end, or until `room` bytes of data were found, and names them in order.
    /// - Returns: how many bytes were taken.
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
