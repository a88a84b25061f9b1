public import Base

/// Tells whether a file still has the end of its picture. What follows the end, such as the video of a phone's motion
/// photo, does not matter.
public enum PictureEnd {
    /// `IEND` and its checksum.
    private static let pngEnd: UInt64 = 0x4945_4E44_AE42_6082

    /// Whether 16 bytes are enough to tell that a file is whole. If not, it has something after its picture, or is cut
    /// off: ``check(_:_:)`` tells which.
    /// - Parameters:
    ///   - start: the first eight bytes, as a big-endian number.
    ///   - end: the last eight bytes, likewise.
    ///   - count: how many bytes the file has.
    public static func isEvident(_ format: PictureFormat, start: UInt64, end: UInt64, count: Int) -> Bool {
        switch format {
        case .jpeg: end & 0xFFFF == 0xFFD9
        case .png: end == pngEnd
        case .webp: Int(UInt32(truncatingIfNeeded: start).byteSwapped) + 8 <= count
        }
    }

    /// Whether the first and last bytes of `file` are enough to tell that it is whole.
    public static func isEvident(_ file: ByteSlice) -> Bool {
        file.withBytes { bytes in PictureFormat(of: bytes).map { isEvident($0, bytes) } ?? false }
    }

    /// Checks that the end of the picture is there. This reads the whole file, if need be.
    public static func check(_ file: ByteSlice) throws(PictureDefect) {
        guard let format = file.withBytes({ PictureFormat(of: $0) }) else { return }
        try check(file, format)
    }

    static func check(_ file: ByteSlice, _ format: PictureFormat) throws(PictureDefect) {
        let isWhole = file.withBytes { bytes in
            if isEvident(format, bytes) { return true }
            return switch format {
            case .jpeg: JPEGScans(bytes).isComplete
            case .png: hasLastChunk(bytes)
            case .webp: false
            }
        }
        guard isWhole else { throw .cutOff(format) }
    }

    private static func isEvident(_ format: PictureFormat, _ bytes: Span<UInt8>) -> Bool {
        guard let start = bytes.number(at: 0), let end = bytes.number(at: bytes.count - 8) else { return false }
        return isEvident(format, start: start, end: end, count: bytes.count)
    }

    private static func hasLastChunk(_ bytes: Span<UInt8>) -> Bool {
        var chunks = PNGChunks()
        while let chunk = chunks.next(in: bytes) {
            if bytes.has("IEND", at: chunk.name) { return chunk.whole.upperBound <= bytes.count }
        }
        return false
    }
}

extension Span<UInt8> {
    /// Eight bytes as a big-endian number.
    fileprivate func number(at index: Int) -> UInt64? {
        guard let high = bigEndian(4, at: index), let low = bigEndian(4, at: index + 4) else { return nil }
        return UInt64(high) << 32 | UInt64(low)
    }
}
