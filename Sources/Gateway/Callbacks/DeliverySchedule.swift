internal import Base
internal import TaskStore

/// Decides what to do after an attempt to deliver. Times are milliseconds since 1970.
public struct DeliverySchedule: Sendable {
    /// 5 s, 30 s, 2 min, 10 min, 30 min, 1 h, 3 h, 6 h and 12 h: ten attempts in about 23 hours.
    public static let standard = DeliverySchedule(
        pauses: [5, 30, 120, 600, 1800, 3600, 10_800, 21_600, 43_200].map { .seconds($0) })

    /// The longest wait that a receiver can request.
    static let longestWait = Duration.seconds(43_200)
    /// How much jitter changes a pause: up to a fifth, either way.
    static let jitter = 0.2

    /// The pauses between attempts, before jitter.
    let pauses: [Duration]

    /// Decides whether a delivery is done, retried or given up.
    /// - Parameters:
    ///   - number: the attempt's number, from 1.
    ///   - now: when the attempt ended.
    ///   - wall: the same time by the wall clock, which the receiver's `Retry-After` refers to.
    func outcome(
        of result: Result<CallbackReply, CallbackFailure>, attempt number: Int, endedAt now: Int64, wall: Int64,
        using random: inout some RandomNumberGenerator
    ) -> DeliveryOutcome {
        let reply = try? result.get()
        switch reply?.status {
        case .some(200...299): return .delivered
        case .some(410): return .gaveUp
        default: break
        }
        guard number <= pauses.count else { return .gaveUp }
        let factor = Double.random(in: (1 - Self.jitter)..<(1 + Self.jitter), using: &random)
        let pause = Int64((pauses[max(1, number) - 1].seconds * factor * 1000).rounded())
        let asked = reply?.retryAfter.flatMap { RetryAfter.wait($0, now: wall) } ?? 0
        return .retry(at: now + max(pause, min(asked, Self.longestWait.nanoseconds / 1_000_000)))
    }
}

/// `Retry-After` (RFC 9110 section 10.2.3): seconds, or a date in any of the three forms of section 5.6.7.
enum RetryAfter {
    /// How many milliseconds to wait; nil if the text has neither form.
    static func wait(_ text: String, now: Int64) -> Int64? {
        if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            return Int64(text).map { min($0, .max / 1000 - 1) * 1000 } ?? .max
        }
        return seconds(date: text).map { max(0, $0 * 1000 - now) }
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` or `Sun Nov  6 08:49:37 1994`, in seconds
    /// since 1970.
    private static func seconds(date text: String) -> Int64? {
        var words = text.split { $0 == " " || $0 == "," || $0 == "-" }.map(String.init)
        guard words.count >= 5 else { return nil }
        // The last form has the month first, and the year after the time.
        if months.contains(words[1]) { words = [words[0], words[2], words[1], words[4], words[3], "GMT"] }
        guard words.count == 6, words[5] == "GMT", let month = months.firstIndex(of: words[2]),
            let day = number(words[1], 1...31), let year = number(words[3], 0...9999)
        else { return nil }
        let time = words[4].split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard time.count == 3, let hour = number(time[0], 0...23), let minute = number(time[1], 0...59),
            let second = number(time[2], 0...60)
        else { return nil }
        let century: Int64 = words[3].utf8.count > 2 ? 0 : year < 70 ? 2000 : 1900
        return days(year + century, Int64(month) + 1, day) * 86_400 + hour * 3600 + minute * 60 + second
    }

    /// Days from 1970-01-01 to a day of the Gregorian calendar. Years begin in March here, so that a leap day is the
    /// last day of its year.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let year = month > 2 ? year : year - 1
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return year * 365 + year / 4 - year / 100 + year / 400 + dayOfYear - 719_468
    }

    private static func number(_ text: String, _ range: ClosedRange<Int64>) -> Int64? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int64(text).flatMap { range.contains($0) ? $0 : nil }
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}
