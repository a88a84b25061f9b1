/// Compresses runs of equal bytes (RFC 1951): one block with the fixed codes, matches at distance 1 only.
struct RunDeflate: Sendable {
    private var output: [UInt8] = []
    private var buffer: UInt64 = 0
    private var bits = 0
    private var byte: UInt8 = 0
    private var count = 0

    private static let longestMatch = 258
    private static let shortestMatch = 3

    init() {
        // The last block, with fixed codes.
        put(0b011, 3)
    }

    /// Appends the same byte `count` times.
    mutating func append(_ byte: UInt8, count: Int) {
        guard count > 0 else { return }
        if byte == self.byte, self.count > 0 {
            self.count += count
            return
        }
        flush()
        (self.byte, self.count) = (byte, count)
    }

    /// Completes the stream and returns it.
    mutating func finish() -> [UInt8] {
        flush()
        putSymbol(256)
        if bits > 0 { put(0, 8 - bits % 8) }
        return output
    }

    private mutating func flush() {
        guard count > 0 else { return }
        putSymbol(Int(byte))
        count -= 1
        while count >= Self.shortestMatch {
            let length = min(count, Self.longestMatch)
            putLength(length)
            // Distance 1: five bits, all zero.
            put(0, 5)
            count -= length
        }
        for _ in 0..<count { putSymbol(Int(byte)) }
        count = 0
    }

    /// The first length of each length code from 257 on, and its number of extra bits (RFC 1951 section 3.2.5).
    private static let lengthCodes: [(start: Int, extra: Int)] = {
        var codes: [(start: Int, extra: Int)] = []
        var start = shortestMatch
        for extra in [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5] {
            codes.append((start, extra))
            start += 1 << extra
        }
        return codes + [(longestMatch, 0)]
    }()

    private mutating func putLength(_ length: Int) {
        let index = Self.lengthCodes.lastIndex { $0.start <= length } ?? 0
        let code = Self.lengthCodes[index]
        putSymbol(257 + index)
        put(UInt64(length - code.start), code.extra)
    }

    /// The fixed code of a symbol (RFC 1951 section 3.2.6).
    private mutating func putSymbol(_ symbol: Int) {
        switch symbol {
        case 0...143: putReversed(0b0011_0000 + symbol, 8)
        case 144...255: putReversed(0b1_1001_0000 + symbol - 144, 9)
        case 256...279: putReversed(symbol - 256, 7)
        default: putReversed(0b1100_0000 + symbol - 280, 8)
        }
    }

    private mutating func putReversed(_ code: Int, _ length: Int) {
        var (rest, reversed) = (code, UInt64(0))
        for _ in 0..<length {
            reversed = reversed << 1 | UInt64(rest & 1)
            rest >>= 1
        }
        put(reversed, length)
    }

    private mutating func put(_ value: UInt64, _ length: Int) {
        buffer |= value << UInt64(bits)
        bits += length
        while bits >= 8 {
            output.append(UInt8(truncatingIfNeeded: buffer))
            buffer >>= 8
            bits -= 8
        }
    }
}
