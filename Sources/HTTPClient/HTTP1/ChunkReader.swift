/// Reads a chunked body piece by piece (RFC 9112 §7.1). Takes bytes, gives data, does no I/O.
///
/// Extensions and trailers are skipped up to a limit. A line may end with LF alone, and blanks may follow a size: both
/// leave no doubt about the data.
struct ChunkReader {
    private enum State { case size, sizeRest, data, dataEnd, trailerStart, trailer, complete }

    private var state = State.size
    private var hasDigits = false
    private var size = 0
    private var overhead = 0

    /// How many bytes of extensions and trailers a body may have in total.
    private static let maximumOverhead = 16 << 10

    /// Whether the body has ended.
    var isComplete: Bool { state == .complete }

    /// Takes bytes until they or the body end, and passes the data in them to `data`.
    /// - Returns: how many bytes were taken.
    mutating func take(
        _ bytes: UnsafeRawBufferPointer, _ data: (UnsafeRawBufferPointer) throws(AnswerFault) -> Void
    ) throws(AnswerFault) -> Int {
        var index = 0
        while index < bytes.count, state != .complete {
            if state == .data {
                let end = min(index + size, bytes.count)
                try unsafe data(UnsafeRawBufferPointer(rebasing: bytes[index..<end]))
                size -= end - index
                index = end
                if size == 0 { state = .dataEnd }
            } else {
                try take(unsafe bytes[index])
                index += 1
            }
        }
        return index
    }

    private mutating func take(_ byte: UInt8) throws(AnswerFault) {
        let isLineEnd = byte == UInt8(ascii: "\n")
        let isReturn = byte == UInt8(ascii: "\r")
        switch state {
        case .size: try take(size: byte)
        case .sizeRest: if isLineEnd { endSize() } else { try countOverhead() }
        case .dataEnd:
            if isLineEnd { state = .size } else if !isReturn { throw .malformed("a chunk that is longer than it says") }
        case .trailerStart:
            if isLineEnd {
                state = .complete
            } else if !isReturn {
                state = .trailer
                try countOverhead()
            }
        case .trailer: if isLineEnd { state = .trailerStart } else { try countOverhead() }
        case .data, .complete: break
        }
    }

    private mutating func take(size byte: UInt8) throws(AnswerFault) {
        if let value = hexValue(byte) {
            guard size >> 55 == 0 else { throw .malformed("a chunk size that is too long") }
            size = size << 4 | value
            hasDigits = true
            return
        }
        guard hasDigits else { throw .malformed("a chunk size that is no number") }
        switch byte {
        case UInt8(ascii: "\n"): endSize()
        case UInt8(ascii: "\r"), UInt8(ascii: ";"), UInt8(ascii: " "), UInt8(ascii: "\t"): state = .sizeRest
        default: throw .malformed("a chunk size that is no number")
        }
    }

    private mutating func endSize() {
        state = size == 0 ? .trailerStart : .data
        hasDigits = false
    }

    private mutating func countOverhead() throws(AnswerFault) {
        overhead += 1
        if overhead > Self.maximumOverhead { throw .trailers }
    }
}

private func hexValue(_ byte: UInt8) -> Int? {
    switch byte {
    case 0x30...0x39: Int(byte) - 0x30
    case 0x41...0x46: Int(byte) - 0x37
    case 0x61...0x66: Int(byte) - 0x57
    default: nil
    }
}
