public import Base

extension Bytes {
    /// Calls `body` with the bytes held, as a bounds-checked span.
    public func withByteSpan<Result, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // The block outlives the call, and nothing writes to it during the call.
        try unsafe withUnsafeBytes { (raw) throws(Failure) -> Result in
            try unsafe body(raw.assumingMemoryBound(to: UInt8.self).span)
        }
    }
}

extension Span<UInt8> {
    /// Whether the bytes are the UTF-8 of `text`.
    func equals(_ text: String) -> Bool {
        guard text.utf8.count == count else { return false }
        var text = text
        return text.withUTF8 { utf8 in
            for index in indices where unsafe utf8[index] != self[index] { return false }
            return true
        }
    }

    /// Whether the bytes at `range` are the UTF-8 of `text`.
    func equals(_ range: Range<Int>, _ text: StaticString) -> Bool {
        range.count == text.utf8CodeUnitCount && extracting(range).equals(text)
    }

    /// A copy of the bytes at `range`.
    func array(_ range: Range<Int>) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: range.count) { space, count in
            // All `range.count` bytes, the whole capacity, are initialized before `count` is set.
            for index in 0..<range.count {
                unsafe space.initializeElement(at: index, to: self[range.lowerBound + index])
            }
            count = range.count
        }
    }
}
