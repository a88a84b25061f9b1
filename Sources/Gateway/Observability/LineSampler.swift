internal import Base

/// Limits similar log lines to a number per second, and counts the lines left out. A value; time is passed in.
struct LineSampler {
    /// What to do with one line.
    struct Verdict: Equatable {
        var isWritten: Bool
        /// The number of lines left out before this one, to report now.
        var leftOut = 0
    }

    private let perSecond: Int
    private var second: Int64 = .min
    private var written = 0
    private(set) var leftOut = 0

    init(perSecond: Int) { self.perSecond = perSecond }

    /// Decides whether to write a line.
    mutating func take(at now: MonotonicTime) -> Verdict {
        let leftOutBefore = report(at: now)
        written += 1
        let isWritten = written <= perSecond
        if !isWritten { leftOut += 1 }
        return Verdict(isWritten: isWritten, leftOut: leftOutBefore)
    }

    /// The number of lines left out in earlier seconds, to report now; 0 if there are none.
    mutating func report(at now: MonotonicTime) -> Int {
        let present = now.nanoseconds / 1_000_000_000
        guard present != second else { return 0 }
        (second, written) = (present, 0)
        return takeLeftOut()
    }

    /// Returns the number of lines left out so far, and resets it.
    mutating func takeLeftOut() -> Int {
        defer { leftOut = 0 }
        return leftOut
    }
}
