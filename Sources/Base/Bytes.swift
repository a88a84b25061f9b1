internal import Glibc

/// A shared block of bytes: one owner fills it, then any thread may read it.
///
/// A block of ``mappingThreshold`` bytes or more is an anonymous mapping: its pages are allocated when they are first
/// touched and returned to the system when the block is released, whereas `malloc` would keep them. A block that was
/// made from ``SpareMappings`` gives its mapping back to them instead.
@safe public final class Bytes: @unchecked Sendable {
    // @unchecked: only the owner that fills the block writes `count` and the bytes, and only before it shares the
    // block; after that, every thread only reads.

    /// The size from which a block is its own mapping.
    public static let mappingThreshold = 64 << 10

    /// How many bytes the block can hold.
    public let capacity: Int
    /// How many bytes it holds.
    public private(set) var count: Int

    private let base: UnsafeMutableRawPointer
    /// The memory, unless `malloc` has it.
    private var mapping: Mapping?
    /// Where the mapping is kept for other blocks.
    private let spares: SpareMappings?
    private let onRelease: (@Sendable () -> Void)?

    /// Makes an empty block.
    /// - Parameters:
    ///   - capacity: how many bytes it can hold.
    ///   - onRelease: called once, on the thread that releases the block last.
    public convenience init(capacity: Int, onRelease: (@Sendable () -> Void)? = nil) {
        guard let memory = unsafe Self.take(capacity, nil) else { fatalError("\(capacity) bytes: errno \(errno)") }
        unsafe self.init(memory, capacity: capacity, nil, onRelease)
    }

    /// Makes an empty block; nil if the system has no memory for it. `onRelease` is then not called.
    ///
    /// Use it for sizes that depend on input.
    /// - Parameter spares: lends the block the memory of an earlier one, and gets it back. Such a block is not zeroed,
    ///   and may keep more memory than it has bytes: it must be filled.
    public convenience init?(
        reserving capacity: Int, from spares: SpareMappings? = nil, onRelease: (@Sendable () -> Void)? = nil
    ) {
        guard let memory = unsafe Self.take(capacity, spares) else { return nil }
        unsafe self.init(memory, capacity: capacity, spares, onRelease)
    }

    private init(_ memory: Memory, capacity: Int, _ spares: SpareMappings?, _ onRelease: (@Sendable () -> Void)?) {
        unsafe self.base = memory.base
        self.capacity = capacity
        self.onRelease = onRelease
        self.spares = spares
        unsafe mapping = memory.mapping
        count = 0
    }

    private typealias Memory = (base: UnsafeMutableRawPointer, mapping: Mapping?)

    private static func take(_ capacity: Int, _ spares: SpareMappings?) -> Memory? {
        precondition(capacity >= 0, "a block cannot have a negative capacity")
        guard capacity >= mappingThreshold else { return unsafe malloc(max(capacity, 1)).map { unsafe ($0, nil) } }
        let mapping = if let spares { spares.take(capacity) } else { Mapping(size: capacity) }
        return unsafe mapping.map { unsafe ($0.base, $0) }
    }

    /// Makes a block that holds a copy of `bytes`.
    public convenience init(_ bytes: some Collection<UInt8>) {
        self.init(capacity: bytes.count)
        let space = unsafe UnsafeMutableRawBufferPointer(start: base, count: bytes.count)
        unsafe space.copyBytes(from: bytes)
        count = bytes.count
    }

    deinit {
        if let mapping = mapping.take() { spares?.keep(mapping, capacity) } else { unsafe free(base) }
        // The memory is free by now.
        onRelease?()
    }

    /// Drops all but the first `count` bytes. Only for the owner, before the block is shared.
    public func shorten(to count: Int) {
        precondition((0...self.count).contains(count), "this cannot make a block longer")
        self.count = count
    }

    /// Calls `body` with the bytes, as a bounds-checked span.
    public func withSpan<Result, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(unsafe UnsafeRawBufferPointer(start: base, count: count).bytes)
    }

    /// The first index of `byte` in `range`; nil if there is none.
    public func firstIndex(of byte: UInt8, in range: Range<Int>) -> Int? {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "the range is outside of the block")
        // `memchr` only reads within the range, which was checked above.
        let found = unsafe memchr(base + range.lowerBound, Int32(byte), range.count)
        return unsafe found.map { unsafe $0 - UnsafeMutableRawPointer(base) }
    }

    /// Calls `body` with the bytes.
    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe body(UnsafeRawBufferPointer(start: base, count: count))
    }

    /// Calls `body` with the bytes, which it may modify in place. Only for the owner, before the block is shared.
    public func withUnsafeMutableBytes<Result, Failure: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe body(UnsafeMutableRawBufferPointer(start: base, count: count))
    }

    /// Calls `body` with the free space after the bytes, and appends as many bytes as it returns. Only for the owner,
    /// before the block is shared.
    @discardableResult
    public func append<Failure: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
    ) throws(Failure) -> Int {
        let space = unsafe UnsafeMutableRawBufferPointer(start: base + count, count: capacity - count)
        let written = try unsafe body(space)
        precondition(written >= 0 && written <= capacity - count, "more bytes than there was room for")
        count += written
        return written
    }

    /// Appends a copy of `bytes`, which must fit. Only for the owner, before the block is shared.
    public func append(contentsOf bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count <= capacity - count, "more bytes than there is room for")
        // The precondition has checked that the bytes fit.
        if let source = bytes.baseAddress { unsafe (base + count).copyMemory(from: source, byteCount: bytes.count) }
        count += bytes.count
    }
}

/// A range of a block, for building bodies without copying.
public struct ByteSlice: Sendable {
    /// The block, kept alive by the slice.
    public let bytes: Bytes
    /// The range within the block.
    public let range: Range<Int>

    /// Makes a slice over `range` of `bytes`.
    public init(_ bytes: Bytes, _ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "the range is outside of the block")
        self.bytes = bytes
        self.range = range
    }

    /// A slice over a copy of `text`'s UTF-8.
    public init(copying text: String) {
        bytes = Bytes(Array(text.utf8))
        range = 0..<bytes.count
    }

    /// How many bytes the slice has.
    public var count: Int { range.count }

    /// Calls `body` with the slice's bytes.
    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe bytes.withUnsafeBytes { (all) throws(Failure) -> Result in
            try unsafe body(UnsafeRawBufferPointer(rebasing: all[range]))
        }
    }
}
