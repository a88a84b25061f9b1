/// Text of the protocols: names in any case, and lists.
extension Span<UInt8> {
    /// Whether these bytes equal `text`, ignoring the case of ASCII letters.
    @inlinable
    public func equalsIgnoringCase(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        // A `StaticString` of more than one character has its bytes in the binary, so the pointer is always valid.
        let other = unsafe UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        for index in 0..<count {
            let (own, wanted) = (self[index], unsafe other[index])
            if own != wanted, own.lowercased != wanted.lowercased { return false }
        }
        return true
    }

    /// Calls `body` with each member of a comma-separated list, without the blanks around it, including empty ones.
    package func forEachListed<Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Void
    ) throws(Failure) {
        var rest = self
        while let comma = rest.firstIndex(of: UInt8(ascii: ",")) {
            try body(rest.extracting(rest.extracting(first: comma).trimmed))
            rest = rest.extracting(droppingFirst: comma + 1)
        }
        try body(rest.extracting(rest.trimmed))
    }

    /// The range of the bytes without the blanks around them.
    private var trimmed: Range<Int> {
        var range = 0..<count
        while let first = range.first, self[first].isBlank { range.removeFirst() }
        while let last = range.last, self[last].isBlank { range.removeLast() }
        return range
    }
}

extension UInt8 {
    /// The lowercase form of an ASCII letter; other bytes unchanged.
    @inlinable public var lowercased: UInt8 { self >= 0x41 && self <= 0x5a ? self | 0x20 : self }
    /// Whether this is a space or a tab.
    package var isBlank: Bool { self == 0x20 || self == 0x09 }
}
