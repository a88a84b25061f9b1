/// The size of a WebP picture, by the first chunk of its file (RFC 9649 section 2).
struct WebPSize {
    let width, height: Int

    /// Reads the head of a file; nil if it is no WebP file.
    init?(_ file: [UInt8]) {
        func has(_ text: StaticString, at position: Int) -> Bool {
            file.dropFirst(position).starts(with: text.description.utf8)
        }
        // Little-endian.
        func number(_ bytes: Int, at position: Int) -> Int {
            file[position..<position + bytes].reversed().reduce(0) { $0 << 8 | Int($1) }
        }
        guard file.count >= 30, has("RIFF", at: 0), has("WEBP", at: 8) else { return nil }
        if has("VP8X", at: 12) {
            (width, height) = (number(3, at: 24) + 1, number(3, at: 27) + 1)
        } else if has("VP8L", at: 12), file[20] == 0x2F {
            (width, height) = (number(4, at: 21) & 0x3FFF + 1, number(4, at: 21) >> 14 & 0x3FFF + 1)
        } else if has("VP8 ", at: 12), file[23...25] == [0x9D, 0x01, 0x2A] {
            (width, height) = (number(2, at: 26) & 0x3FFF, number(2, at: 28) & 0x3FFF)
        } else {
            return nil
        }
    }
}
