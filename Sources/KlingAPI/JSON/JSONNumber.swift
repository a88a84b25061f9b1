/// Numbers in JSON (RFC 8259 section 6).
enum JSONNumber {
    /// Finds the end of the number at the start of `range`. Refuses a number too large for a finite double.
    static func end(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(JSONError) -> Int {
        var position = range.lowerBound
        func next(_ position: Int) -> UInt8 { position < range.upperBound ? bytes[position] : 0 }
        if next(position) == UInt8(ascii: "-") { position += 1 }
        let leadsWithZero = next(position) == UInt8(ascii: "0")
        let integer = position
        position = try endOfDigits(bytes, position..<range.upperBound)
        if leadsWithZero, position > integer + 1 {
            throw .at(integer + 1, bytes, expected: "no digit after a leading zero")
        }
        if next(position) == UInt8(ascii: ".") {
            position = try endOfDigits(bytes, position + 1..<range.upperBound)
        }
        var mayOverflow = position - integer > 300
        if next(position) | 0x20 == UInt8(ascii: "e") {
            mayOverflow = true
            position += 1
            if next(position) == UInt8(ascii: "+") || next(position) == UInt8(ascii: "-") { position += 1 }
            position = try endOfDigits(bytes, position..<range.upperBound)
        }
        if mayOverflow, value(bytes, range.lowerBound..<position)?.isFinite != true {
            throw JSONError(offset: range.lowerBound, expected: "a number that fits a double", found: "a larger one")
        }
        return position
    }

    /// Finds the end of the digits at the start of `range`, of which there must be at least one.
    private static func endOfDigits(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(JSONError) -> Int {
        var position = range.lowerBound
        while position < range.upperBound, (0x30...0x39).contains(bytes[position]) { position += 1 }
        if position > range.lowerBound { return position }
        throw position < range.upperBound
            ? .at(position, bytes, expected: "a digit") : .atEnd(position, expected: "a digit")
    }

    /// The nearest double.
    static func value(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Double? {
        Double(String(decoding: bytes.array(range), as: UTF8.self))
    }

    /// The number, if it is whole and an `Int` holds it exactly: some encoders write `2.0` for 2.
    static func integer(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
        guard range.count <= 24 else { return nil }
        if range.count <= 18, let number = digits(bytes, range) { return number }
        return Int(jsonNumber: String(decoding: bytes.array(range), as: UTF8.self))
    }

    /// The number in a text of at most 18 digits; nil if there is anything else.
    private static func digits(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
        var number = 0
        for index in range {
            guard (0x30...0x39).contains(bytes[index]) else { return nil }
            number = number * 10 + Int(bytes[index] & 0xF)
        }
        return number
    }
}

extension Int {
    /// The whole number that `text` writes as JSON does: `2`, `2.0` or `2e0`; nil if it writes none.
    public init?(jsonNumber text: String) {
        if let number = Int(text) {
            self = number
            return
        }
        let isDecimal = text.utf8.allSatisfy { (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) }
        guard isDecimal, let value = Double(text), abs(value) < 0x1p53, let number = Int(exactly: value) else {
            return nil
        }
        self = number
    }
}
