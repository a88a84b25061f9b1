internal import Base

/// When Kling is asked for a create whose outcome is unknown, and what follows from the answers.
///
/// That Kling doesn't know the task proves nothing at first, because Kling's index may lag. It is proof only after the
/// plan's last look-up. A look-up without an answer never proves anything.
struct LookUpPlan: Sendable, Equatable {
    /// The result of a look-up.
    enum Answer: Equatable {
        /// Kling has the task.
        case found
        /// Kling says that it has no such task.
        case unknown
        /// There was no usable answer.
        case none
    }

    /// What to do next.
    enum Step: Equatable {
        /// Ask Kling at this time.
        case lookUp(at: MonotonicTime)
        /// Kling has the task; adopt it.
        case adopt
        /// Tell the client that the outcome is unknown; a background plan continues.
        case handOver
        /// The task never reached Kling, and nothing was charged.
        case neverMade
    }

    private enum Kind: Equatable {
        case request(deadline: MonotonicTime)
        case background
    }

    /// How long a client waits for a create that is open.
    static let clientWait = Duration.seconds(10)
    /// The times of the look-ups while the client waits, counted from when the outcome became open.
    static let requestTimes: [Duration] = [0, 1, 2, 4, 6, 8].map { .seconds($0) }
    /// The longest lag of Kling's index: a create that Kling doesn't know is not sent again before that.
    static let longestLag = Duration.seconds(4)
    /// The pauses between look-ups in the background, each after the previous answer.
    static let backgroundPauses: [Duration] = [0, 1, 2, 5, 15, 60, 300, 900].map { .seconds($0) }
    /// The range of pauses without answers: each is twice as long as the one before, up to the limit.
    static let outagePauses = Duration.seconds(1)...Duration.seconds(60)

    private let kind: Kind
    private let start: MonotonicTime
    private var index = 0
    private var outagePause = LookUpPlan.outagePauses.lowerBound
    /// What to do now.
    private(set) var step: Step

    private init(_ kind: Kind, _ start: MonotonicTime) {
        self.kind = kind
        self.start = start
        step = .lookUp(at: start)
    }

    /// A plan for the time in which the client waits, with as many look-ups as fit.
    static func request(start: MonotonicTime, until deadline: MonotonicTime? = nil) -> LookUpPlan {
        LookUpPlan(.request(deadline: deadline ?? start + clientWait), start)
    }

    /// A plan for when no client waits: look-ups until Kling's answers settle the create. A restart starts a new plan.
    static func background(start: MonotonicTime) -> LookUpPlan { LookUpPlan(.background, start) }

    /// Whether a create may be sent again at `now`, after the current look-up has shown that Kling doesn't know it.
    /// The look-up's planned time counts as well, because a timer may fire some milliseconds early.
    func allowsRepeat(at now: MonotonicTime) -> Bool {
        now - start >= Self.longestLag || Self.requestTimes[index] >= Self.longestLag
    }

    /// Records the result of a look-up, and returns the next step.
    mutating func answered(_ answer: Answer, now: MonotonicTime) -> Step {
        guard case .lookUp = step else { return step }
        if answer == .found {
            step = .adopt
        } else {
            switch kind {
            case .request(let deadline): step = nextInRequest(now, deadline)
            case .background: step = answer == .none ? again(now) : nextInBackground(now)
            }
        }
        return step
    }

    /// The client's time passes even if Kling doesn't answer.
    private mutating func nextInRequest(_ now: MonotonicTime, _ deadline: MonotonicTime) -> Step {
        index += 1
        guard index < Self.requestTimes.count else { return .handOver }
        let time = max(now, start + Self.requestTimes[index])
        return time < deadline ? .lookUp(at: time) : .handOver
    }

    private mutating func nextInBackground(_ now: MonotonicTime) -> Step {
        index += 1
        outagePause = Self.outagePauses.lowerBound
        guard index < Self.backgroundPauses.count else { return .neverMade }
        return .lookUp(at: now + Self.backgroundPauses[index])
    }

    /// The plan does not advance until Kling answers.
    private mutating func again(_ now: MonotonicTime) -> Step {
        defer { outagePause = min(outagePause * 2, Self.outagePauses.upperBound) }
        return .lookUp(at: now + outagePause)
    }
}
