internal import Base

/// Which bytes are allowed where (RFC 9110 §5.6.2, RFC 9112 §2 to §5).
extension UInt8 {
    static let tab = UInt8(ascii: "\t")
    static let carriageReturn = UInt8(ascii: "\r")
    static let lineFeed = UInt8(ascii: "\n")
    static let space = UInt8(ascii: " ")
    static let colon = UInt8(ascii: ":")
    static let slash = UInt8(ascii: "/")

    /// Whether this is a `tchar`: a byte that names, methods and codings may contain.
    var isToken: Bool { isIn(low: 0x03ff_6cfa_0000_0000, high: 0x57ff_ffff_c7ff_fffe) }
    /// Whether a field value may contain this byte: the tab, and everything but control characters.
    var isFieldValue: Bool { self >= 0x20 && self != 0x7f || self == .tab }
    /// Whether a request target may contain this byte: visible ASCII except `#`.
    var isTarget: Bool { self > 0x20 && self < 0x7f && self != UInt8(ascii: "#") }
    /// Whether a host name may contain this byte: unreserved characters, sub-delimiters and `%` (RFC 3986 §3.2.2).
    var isHostName: Bool { isIn(low: 0x2bff_7ff2_0000_0000, high: 0x47ff_fffe_87ff_fffe) }
    var isDigit: Bool { self >= 0x30 && self <= 0x39 }

    /// The value of a hexadecimal digit; `nil` for anything else.
    var hexValue: UInt8? {
        switch self {
        case 0x30...0x39: self - 0x30
        case 0x41...0x46: self - 0x37
        case 0x61...0x66: self - 0x57
        default: nil
        }
    }

    /// Whether this byte is in a set of ASCII bytes, given as a bit mask.
    @inline(__always)
    private func isIn(low: UInt64, high: UInt64) -> Bool {
        // The shift takes the byte modulo 64.
        self < 0x80 && (self < 0x40 ? low : high) &>> UInt64(self) & 1 == 1
    }
}

extension Span<UInt8> {
    /// The value of these decimal digits; `nil` if there are none, or other bytes, or if it does not fit in 63 bits.
    var decimalValue: Int? {
        guard !isEmpty else { return nil }
        var value = 0
        for index in 0..<count {
            guard self[index].isDigit else { return nil }
            let (tenfold, overflows) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflowsToo) = tenfold.addingReportingOverflow(Int(self[index] & 0xf))
            if overflows || overflowsToo { return nil }
            value = sum
        }
        return value
    }

    /// Whether each `%` is followed by two hexadecimal digits.
    var hasValidEscapes: Bool {
        var rest = self
        while let index = rest.firstIndex(of: UInt8(ascii: "%")) {
            guard index + 2 < rest.count, rest[index + 1].hexValue != nil, rest[index + 2].hexValue != nil else {
                return false
            }
            rest = rest.extracting(droppingFirst: index + 3)
        }
        return true
    }
}
