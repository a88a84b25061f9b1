internal import Base
internal import CPNG
internal import Glibc

/// A PNG file as a stream of only the chunks that make up its picture, with a time limit.
///
/// libpng decompresses text and profile chunks as soon as it reads them; a small file can hold a thousand of 8 MB. It
/// also decompresses whatever follows the last row in the picture's own data. The stream skips the former and limits
/// the time for the latter.
struct PNGStream {
    private let file: ByteSlice
    /// The part of the file that is being read.
    private var kept = 0..<8
    /// When to stop, in nanoseconds of the thread's CPU time.
    private let deadline: Int64
    /// Whether the time limit was reached before the end of the file.
    private(set) var isOverdue = false

    /// - Parameter time: how much CPU time the thread may spend before it reads the last byte.
    init(_ file: ByteSlice, time: Duration) {
        self.file = file
        kept = 0..<min(kept.count, file.count)
        deadline = Self.threadCPUTime + time.nanoseconds
    }

    /// Calls `body` with `stream` as the `FILE` that libpng needs. The file is valid only in `body` and on this thread.
    static func withFile<Result, Failure: Error>(
        _ stream: inout PNGStream, _ body: (UnsafeMutablePointer<FILE>) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        // The pointer is not used after the file is closed, which happens before the access to `stream` ends.
        try unsafe withUnsafeMutablePointer(to: &stream) { (cookie) throws(Failure) -> Result? in
            guard let file = unsafe open(cookie) else { return nil }
            defer { unsafe fclose(file) }
            return try unsafe body(file)
        }
    }

    private static func open(_ cookie: UnsafeMutablePointer<PNGStream>) -> UnsafeMutablePointer<FILE>? {
        // `read` is lent the stream, and `size` bytes of room.
        let functions = unsafe kling_stream_functions(
            read: { cookie, room, size in unsafe PNGStream.read(cookie, room, size) }, write: nil, seek: nil,
            close: nil)
        return unsafe kling_open_stream(cookie, "r", functions)
    }

    private static func read(
        _ cookie: UnsafeMutableRawPointer?, _ room: UnsafeMutablePointer<CChar>?, _ size: Int
    ) -> Int {
        let stream = unsafe cookie?.assumingMemoryBound(to: PNGStream.self)
        return unsafe stream?.pointee.read(UnsafeMutableRawBufferPointer(start: room, count: size)) ?? -1
    }

    /// - Returns: the number of bytes read; 0 at the end, -1 when the time is over.
    private mutating func read(_ room: UnsafeMutableRawBufferPointer) -> Int {
        isOverdue = isOverdue || Self.threadCPUTime > deadline
        if isOverdue { return -1 }
        kept = file.withBytes { [kept] in Self.next(kept, in: $0) }
        let part = kept.prefix(room.count)
        // The part fits into `room`.
        unsafe file.part(part).withUnsafeBytes { unsafe room.copyMemory(from: $0) }
        kept = part.upperBound..<kept.upperBound
        return part.count
    }

    /// The rest of `kept`, or the next chunk to keep (PNG, third edition, section 5.3).
    private static func next(_ kept: Range<Int>, in bytes: Span<UInt8>) -> Range<Int> {
        var kept = kept
        while kept.isEmpty, kept.upperBound < bytes.count {
            let start = kept.upperBound
            let end = min(start + 12 + (bytes.bigEndian(4, at: start) ?? 0), bytes.count)
            kept = isKept(bytes, at: start + 4) ? start..<end : end..<end
        }
        return kept
    }

    /// Whether to keep a chunk: a critical one, whose name starts with a capital letter, or one of transparency.
    private static func isKept(_ bytes: Span<UInt8>, at name: Int) -> Bool {
        guard let first = bytes.byte(name) else { return true }
        return first & 0x20 == 0 || bytes.has("tRNS", at: name)
    }

    /// The CPU time that this thread has used, in nanoseconds.
    private static var threadCPUTime: Int64 {
        var time = timespec()
        // `clock_gettime` writes only to `time`.
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
