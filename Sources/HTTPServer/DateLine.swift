internal import Base

/// The `Date` line (RFC 9110 §6.6.1), rendered once a second. Confined to its owner.
struct DateLine {
    private var second: Int64 = -1
    private var line: [UInt8] = []

    /// The line for `second` (since 1970), with its CR LF.
    mutating func bytes(at second: Int64) -> [UInt8] {
        if second != self.second {
            self.second = second
            line = Self.render(second)
        }
        return line
    }

    private static func render(_ second: Int64) -> [UInt8] {
        let days = second / 86_400
        let date = CivilDate(daysSince1970: Int(days))
        let time = Int(second % 86_400)
        var line: [UInt8] = []
        line.append("Date: ")
        line.append(weekdays[Int((days + 4) % 7)])
        line.append(", ")
        line.append(twoDigits: date.day)
        line.append(" ")
        line.append(months[date.month - 1])
        line.append(" ")
        line.append(number: date.year)
        line.append(" ")
        line.append(twoDigits: time / 3600)
        line.append(":")
        line.append(twoDigits: time / 60 % 60)
        line.append(":")
        line.append(twoDigits: time % 60)
        line.append(" GMT\r\n")
        return line
    }

    private static let weekdays: [StaticString] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months: [StaticString] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}

/// A day of the Gregorian calendar.
struct CivilDate: Hashable {
    let year: Int
    let month: Int
    let day: Int

    /// Counts 400-year eras from 1 March 0000, so that leap days come last.
    init(daysSince1970 days: Int) {
        let shifted = days + 719_468
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + shifted / 146_097 * 400 + (month <= 2 ? 1 : 0)
    }
}

extension [UInt8] {
    fileprivate mutating func append(twoDigits number: Int) {
        append(0x30 + UInt8(number / 10))
        append(0x30 + UInt8(number % 10))
    }
}
