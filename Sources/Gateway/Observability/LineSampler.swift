internal import Base

/// Which of many alike lines are written: so many a second, and after that how many were left out. A value, no clock.
struct LineSampler {
    /// What to do with one line.
    struct Verdict: Equatable {
        var isWritten: Bool
        /// Lines that were left out before this one, to be told of now.
        var leftOut = 0
    }

    private let perSecond: Int
    private var second: Int64 = .min
    private var written = 0
    private(set) var leftOut = 0

    init(perSecond: Int) { self.perSecond = perSecond }

    /// A line comes.
    mutating func take(at now: MonotonicTime) -> Verdict {
        let told = look(at: now)
        written += 1
        let isWritten = written <= perSecond
        if !isWritten { leftOut += 1 }
        return Verdict(isWritten: isWritten, leftOut: told)
    }

    /// Whether something is to be told of that was left out in an earlier second: how many lines; else 0.
    mutating func look(at now: MonotonicTime) -> Int {
        let present = now.nanoseconds / 1_000_000_000
        guard present != second else { return 0 }
        (second, written) = (present, 0)
        return tell()
    }

    /// What was left out, which is told of by that.
    mutating func tell() -> Int {
        defer { leftOut = 0 }
        return leftOut
    }
}
