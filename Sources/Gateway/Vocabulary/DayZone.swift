internal import Base
internal import Foundation
internal import TaskStore

/// The days of a time zone, by their numbers from 1970-01-01. Any thread may call any function.
final class DayZone: Sendable {
    /// An offset from UTC, and until when it holds.
    private struct Span {
        let times: Range<Int64>
        let offset: Int64
    }

    /// The days of UTC.
    static let utc = DayZone(zone: nil)

    /// Its name in the IANA time zone database.
    var name: String { zone?.identifier ?? "UTC" }

    /// nil: UTC.
    private let zone: TimeZone?
    private let last: Lock<Span?>

    private init(zone: TimeZone?) {
        self.zone = zone
        last = Lock(zone == nil ? Span(times: .min ..< .max, offset: 0) : nil)
    }

    /// The zone with a name of the IANA time zone database, such as `Europe/Berlin`; nil if there is none.
    static func named(_ name: String) -> DayZone? {
        if name == "UTC" { return .utc }
        // Foundation also takes abbreviations and offsets, which mean other zones to other programs.
        guard name.contains("/"), let zone = TimeZone(identifier: name) else { return nil }
        return DayZone(zone: zone)
    }

    /// The number of the day of a time in milliseconds since 1970.
    func day(of time: Int64) -> Int { CivilDate.day(of: time + offset(at: time)) }

    /// When a day begins, in milliseconds since 1970. If its midnight is skipped by a change of the offset, the day
    /// begins at the change.
    func start(ofDay day: Int) -> Int64 {
        let midnight = Int64(day) * 86_400_000
        // The offset is that of the day's beginning or that of the day before.
        let before = midnight - offset(at: midnight - offset(at: midnight - 86_400_000))
        return self.day(of: before) == day ? before : midnight - offset(at: before + 3_600_000)
    }

    private func offset(at time: Int64) -> Int64 {
        last.withLock { span in
            if let span, span.times.contains(time) { return span.offset }
            let found = self.span(around: time)
            span = found
            return found.offset
        }
    }

    private func span(around time: Int64) -> Span {
        guard let zone else { return Span(times: .min ..< .max, offset: 0) }
        let date = Date(timeIntervalSince1970: Double(time) / 1000)
        let next = zone.nextDaylightSavingTimeTransition(after: date)
        let end = next.map { Int64($0.timeIntervalSince1970 * 1000) } ?? time + 86_400_000
        return Span(times: time..<max(end, time + 1), offset: Int64(zone.secondsFromGMT(for: date)) * 1000)
    }
}
