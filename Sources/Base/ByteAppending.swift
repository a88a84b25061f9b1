/// Appends text, as bytes.
extension [UInt8] {
    /// Appends a copy of `bytes`. For a few, it costs less than `append(contentsOf:)`, which takes any sequence.
    public mutating func append(copying bytes: UnsafeRawBufferPointer) {
        append(addingCapacity: bytes.count) { unsafe $0.append(copying: bytes) }
    }

    /// Appends the UTF-8 of `text`.
    @inlinable
    public mutating func append(_ text: StaticString) {
        // A `StaticString`'s bytes are in the binary, so the pointer is always valid.
        unsafe append(copying: UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Appends the UTF-8 of `text`.
    @inlinable
    public mutating func append(utf8 text: String) {
        var text = text
        // The pointer is used within the closure that lends it.
        text.withUTF8 { unsafe append(copying: UnsafeRawBufferPointer($0)) }
    }

    /// Appends CR LF.
    @inlinable
    public mutating func appendLineEnd() {
        append(0x0d)
        append(0x0a)
    }

    /// Appends the decimal digits of `number`, which must not be negative.
    package mutating func append(number: Int) {
        // An `Int` has at most 19 of them.
        append(addingCapacity: 19) { $0.append(number: number) }
    }
}

/// Appends text, as bytes, to space that must have room for it.
extension OutputSpan<UInt8> {
    /// Appends a copy of `bytes`.
    @inlinable
    public mutating func append(copying bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count <= freeCapacity, "more bytes than there is room for")
        unsafe withUnsafeMutableBufferPointer { space, count in
            // The precondition has checked that the bytes fit behind those that there are.
            let free = unsafe UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(space)[count...])
            unsafe free.copyMemory(from: bytes)
            count += bytes.count
        }
    }

    /// Appends the UTF-8 of `text`.
    @inlinable
    public mutating func append(_ text: StaticString) {
        // A `StaticString`'s bytes are in the binary, so the pointer is always valid.
        unsafe append(copying: UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Appends the decimal digits of `number`, which must not be negative.
    @inlinable
    public mutating func append(number: Int) {
        var power = 1
        while number / power >= 10 { power *= 10 }
        while power > 0 {
            append(0x30 + UInt8(number / power % 10))
            power /= 10
        }
    }
}
