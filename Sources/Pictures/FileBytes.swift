internal import Base

extension ByteSlice {
    /// Calls `body` with the bytes of the slice, as a bounds-checked span.
    func withBytes<Result, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // The slice keeps its block alive, and nothing writes to a block that is shared.
        try unsafe withUnsafeBytes { (raw) throws(Failure) -> Result in
            try unsafe body(raw.assumingMemoryBound(to: UInt8.self).span)
        }
    }

    /// A part of the slice; `part` is relative to its start.
    func part(_ part: Range<Int>) -> ByteSlice {
        ByteSlice(bytes, range.lowerBound + part.lowerBound..<range.lowerBound + part.upperBound)
    }
}

/// Reads numbers and marks anywhere in a file; numbers are nil beyond its end.
extension Span<UInt8> {
    func byte(_ index: Int) -> UInt8? { index >= 0 && index < count ? self[index] : nil }

    func bigEndian(_ width: Int, at index: Int) -> Int? {
        guard index >= 0, index <= count - width else { return nil }
        return (0..<width).reduce(0) { $0 << 8 | Int(self[index + $1]) }
    }

    func littleEndian(_ width: Int, at index: Int) -> Int? {
        guard index >= 0, index <= count - width else { return nil }
        return (0..<width).reversed().reduce(0) { $0 << 8 | Int(self[index + $1]) }
    }

    func has(_ mark: StaticString, at index: Int) -> Bool {
        has(unsafe UnsafeBufferPointer(start: mark.utf8Start, count: mark.utf8CodeUnitCount).span, at: index)
    }

    func has(_ mark: [UInt8], at index: Int) -> Bool { has(mark.span, at: index) }

    private func has(_ mark: Span<UInt8>, at index: Int) -> Bool {
        guard index >= 0, index <= count - mark.count else { return false }
        return mark.indices.allSatisfy { self[index + $0] == mark[$0] }
    }
}
