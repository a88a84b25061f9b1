internal import Base
internal import GatewayConfiguration

/// Builds a line of the log as bytes, without Foundation. Characters that would break out of the line are escaped.
struct LogLine {
    private var bytes: [UInt8] = []
    private let format: LogFormat

    /// Begins a line with the current time.
    init(_ format: LogFormat, level: StaticString, message: String, label: String) {
        self.init(
            format, level: level.description, message: message, label: label, milliseconds: WallClock.milliseconds)
    }

    /// Begins a line at `milliseconds` after 1970.
    init(_ format: LogFormat, level: String, message: String, label: String, milliseconds: Int64) {
        self.format = format
        bytes.reserveCapacity(256)
        switch format {
        case .json:
            raw("{\"time\":\"")
            timestamp(milliseconds)
            raw("\"")
            add("level", level)
            add("logger", label)
            add("message", message)
        case .text:
            timestamp(milliseconds)
            raw(" \(level) ")
            escape(message)
        }
    }

    /// Adds a pair.
    mutating func add(_ key: String, _ value: String) {
        raw(format == .json ? ",\"" : " ")
        escape(key)
        raw(format == .json ? "\":\"" : "=")
        let needsQuotes =
            format == .text && (value.isEmpty || value.utf8.contains { $0 <= 0x20 || $0 == 0x22 || $0 == 0x3D })
        if needsQuotes { raw("\"") }
        escape(value)
        if needsQuotes || format == .json { raw("\"") }
    }

    /// Adds a pair whose value is a number.
    mutating func add(_ key: StaticString, _ value: Int) {
        raw(format == .json ? ",\"" : " ")
        raw(key.description)
        raw(format == .json ? "\":\"" : "=")
        raw(String(value))
        if format == .json { raw("\"") }
    }

    /// Ends the line.
    mutating func finish() -> [UInt8] {
        raw(format == .json ? "}\n" : "\n")
        return bytes
    }

    private mutating func raw(_ text: String) { bytes += text.utf8 }

    private mutating func escape(_ text: String) {
        if text.utf8.allSatisfy(Self.isPlain) {
            bytes += text.utf8
        } else {
            escapeByteByByte(text)
        }
    }

    /// Whether a byte never needs to be escaped.
    private static func isPlain(_ byte: UInt8) -> Bool {
        (0x20..<0x7F).contains(byte) && byte != 0x22 && byte != 0x5C
    }

    private mutating func escapeByteByByte(_ text: String) {
        var previous: UInt8 = 0
        for byte in text.utf8 {
            // C1 controls, which terminals obey, are C2 80 to C2 9F in UTF-8.
            let isC1 = previous == 0xC2 && (0x80...0x9F).contains(byte)
            previous = byte
            switch byte {
            case 0x22, 0x5C: bytes += [0x5C, byte]
            case 0x0A: bytes += [0x5C, UInt8(ascii: "n")]
            case 0x0D: bytes += [0x5C, UInt8(ascii: "r")]
            case 0x09: bytes += [0x5C, UInt8(ascii: "t")]
            case 0..<0x20, 0x7F: control(byte)
            case _ where isC1:
                bytes.removeLast()
                control(byte)
            default: bytes.append(byte)
            }
        }
    }

    private mutating func control(_ byte: UInt8) {
        raw("\\u00")
        let digits = Array("0123456789abcdef".utf8)
        bytes += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }

    /// RFC 3339, UTC, with milliseconds.
    private mutating func timestamp(_ milliseconds: Int64) {
        let (days, second) = (milliseconds / 86_400_000, Int(milliseconds / 1000 % 86_400))
        let (year, month, day) = Self.date(daysSince1970: Int(days))
        decimal(year, 4, then: "-")
        decimal(month, 2, then: "-")
        decimal(day, 2, then: "T")
        decimal(second / 3600, 2, then: ":")
        decimal(second / 60 % 60, 2, then: ":")
        decimal(second % 60, 2, then: ".")
        decimal(Int(milliseconds % 1000), 3, then: "Z")
    }

    /// The Gregorian date, computed in eras of 400 years that begin on 1 March, so that the leap day is a year's last.
    private static func date(daysSince1970 days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let (era, dayOfEra) = (shifted / 146_097, shifted % 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    private mutating func decimal(_ number: Int, _ width: Int, then end: Unicode.Scalar) {
        var divisor = 1
        for _ in 1..<width { divisor *= 10 }
        while divisor > 0 {
            bytes.append(0x30 + UInt8(number / divisor % 10))
            divisor /= 10
        }
        bytes.append(UInt8(ascii: end))
    }
}
