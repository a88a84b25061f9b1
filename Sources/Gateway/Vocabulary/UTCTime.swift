internal import TaskStore

/// Times as people and RFC 3339 write them.
enum UTCTime {
    /// A time in milliseconds since 1970, to the second below it: `2026-12-01T00:00:00Z`.
    static func text(_ milliseconds: Int64) -> String {
        let day = CivilDate.day(of: milliseconds)
        let second = Int((milliseconds - Int64(day) * 86_400_000) / 1000)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }
        return "\(CivilDate(day: day).text)T\(two(second / 3600)):\(two(second / 60 % 60)):\(two(second % 60))Z"
    }
}
