/// Why a chunked body is rejected.
enum ChunkFault: Error, Hashable {
    /// It violates RFC 9112 §7.1, or its extensions and trailers are too long.
    case malformed
    /// Its chunks together are longer than allowed.
    case tooLarge
}

/// A strict, incremental decoder of chunked bodies (RFC 9112 §7.1): bytes in, ranges of data out.
///
/// Sizes are hexadecimal digits only; extensions are skipped, trailers are checked and dropped, both up to a limit.
struct ChunkedDecoder {
    fileprivate enum State: UInt8 {
        case size, extensions, sizeLineFeed, data, dataReturn, dataLineFeed
        case trailerStart, trailerName, trailerValue, trailerLineFeed, endLineFeed, complete
    }

    /// How many bytes of extensions and trailers a body may have in total.
    private static let maximumOverhead = 8 << 10
    private static let longestSize = 16

    private let limit: Int
    private var state = State.size
    private var digits = 0
    private var size = 0
    private var total = 0
    private var overhead = 0

    /// A decoder for bodies of at most `limit` bytes of data.
    init(limit: Int) { self.limit = limit }

    /// Whether the body has ended.
    var isComplete: Bool { state == .complete }

    /// Consumes `input` up to the end of the body, or until it found `room` bytes of data, and passes the ranges of
    /// data to `data` in order.
    /// - Returns: how many bytes were consumed.
    mutating func decode(
        _ input: Span<UInt8>, room: Int = .max, _ data: (Range<Int>) -> Void
    ) throws(ChunkFault) -> Int {
        var index = 0
        var room = room
        while index < input.count, state != .complete {
            if state == .data {
                let count = min(size, input.count - index, room)
                if count == 0 { break }
                data(index..<index + count)
                index += count
                size -= count
                room -= count
                if size == 0 { state = .dataReturn }
            } else {
                try take(input[index])
                index += 1
            }
        }
        return index
    }

    private mutating func take(_ byte: UInt8) throws(ChunkFault) {
        switch state {
        case .size: try take(size: byte)
        case .extensions: try skip(byte, until: .sizeLineFeed)
        case .sizeLineFeed: try expect(byte, .lineFeed, then: size == 0 ? .trailerStart : .data)
        case .dataReturn: try expect(byte, .carriageReturn, then: .dataLineFeed)
        case .dataLineFeed:
            try expect(byte, .lineFeed, then: .size)
            digits = 0
        case .trailerStart, .trailerName: try take(trailerName: byte)
        case .trailerValue: try skip(byte, until: .trailerLineFeed)
        case .trailerLineFeed: try expect(byte, .lineFeed, then: .trailerStart)
        case .endLineFeed: try expect(byte, .lineFeed, then: .complete)
        case .data, .complete: break
        }
    }

    private mutating func take(size byte: UInt8) throws(ChunkFault) {
        if let value = byte.hexValue {
            digits += 1
            guard digits <= Self.longestSize, size >> 59 == 0 else { throw .malformed }
            size = size << 4 | Int(value)
            return
        }
        guard digits > 0 else { throw .malformed }
        switch byte {
        case .carriageReturn: state = .sizeLineFeed
        case UInt8(ascii: ";"): state = .extensions
        default: throw .malformed
        }
        guard size <= limit - total else { throw .tooLarge }
        total += size
    }

    private mutating func take(trailerName byte: UInt8) throws(ChunkFault) {
        try countSideline()
        switch byte {
        case .carriageReturn where state == .trailerStart: state = .endLineFeed
        case .colon where state == .trailerName: state = .trailerValue
        case _ where byte.isToken: state = .trailerName
        default: throw .malformed
        }
    }

    private mutating func skip(_ byte: UInt8, until next: State) throws(ChunkFault) {
        if byte == .carriageReturn {
            state = next
        } else if byte.isFieldValue {
            try countSideline()
        } else {
            throw .malformed
        }
    }

    private mutating func countSideline() throws(ChunkFault) {
        overhead += 1
        if overhead > Self.maximumOverhead { throw .malformed }
    }

    private mutating func expect(_ byte: UInt8, _ right: UInt8, then next: State) throws(ChunkFault) {
        guard byte == right else { throw .malformed }
        state = next
    }
}
