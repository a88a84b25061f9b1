internal import Hashing

/// The unit of the redo log: the statements of one group of writes, with what tells a whole frame from a torn one.
///
/// A frame is a header of 32 bytes and its entries: a checksum of all that follows it, the identity of the store, the
/// frame's sequence number, and the number of bytes of entries. Numbers are little-endian.
struct RedoFrame {
    static let headerCount = 32

    let sequence: Int64
    /// The statements, as ``RedoRecorder`` encodes them.
    let entries: ArraySlice<UInt8>

    /// Completes a frame whose entries start at ``headerCount``.
    static func seal(_ frame: inout [UInt8], sequence: Int64, identity: Int64) {
        write(UInt64(bitPattern: identity), to: &frame, at: 8)
        write(UInt64(bitPattern: sequence), to: &frame, at: 16)
        write(UInt64(frame.count - headerCount), to: &frame, at: 24)
        write(checksum(frame[...]), to: &frame, at: 0)
    }

    /// The frames at the start of a log, up to the first place that has no valid successor: that is the end of the log,
    /// or a frame that was torn by a crash, or one that a previous use of the file has left.
    static func frames(in log: [UInt8], identity: Int64) -> [RedoFrame] {
        var frames: [RedoFrame] = []
        var rest = log[...]
        while let frame = RedoFrame(at: rest, identity: identity) {
            if let last = frames.last, frame.sequence != last.sequence + 1 { break }
            frames.append(frame)
            rest = rest[frame.entries.endIndex...]
        }
        return frames
    }

    private init?(at log: ArraySlice<UInt8>, identity: Int64) {
        guard log.count > Self.headerCount else { return nil }
        let count = Self.number(in: log, at: 24)
        guard count > 0, count <= UInt64(log.count - Self.headerCount),
            Int64(bitPattern: Self.number(in: log, at: 8)) == identity
        else { return nil }
        let frame = log.prefix(Self.headerCount + Int(count))
        guard Self.checksum(frame) == Self.number(in: log, at: 0) else { return nil }
        sequence = Int64(bitPattern: Self.number(in: log, at: 16))
        entries = frame.dropFirst(Self.headerCount)
    }

    private static func checksum(_ frame: ArraySlice<UInt8>) -> UInt64 {
        unsafe frame.withUnsafeBytes { unsafe ContentDigest(of: UnsafeRawBufferPointer(rebasing: $0[8...])).low }
    }

    private static func write(_ number: UInt64, to frame: inout [UInt8], at offset: Int) {
        for byte in 0..<8 { frame[offset + byte] = UInt8(truncatingIfNeeded: number >> (8 * byte)) }
    }

    private static func number(in log: ArraySlice<UInt8>, at offset: Int) -> UInt64 {
        (0..<8).reduce(0) { $0 | UInt64(log[log.startIndex + offset + $1]) << (8 * $1) }
    }
}
