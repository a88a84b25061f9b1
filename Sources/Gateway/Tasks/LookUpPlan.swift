internal import Base

/// When Kling is asked for a create whose outcome nobody knows, and what follows from the answers.
///
/// That Kling doesn't know the task is no proof at first, because Kling may be slow to know it: only after the plan's
/// last look-up is it. A look-up without an answer proves nothing at all.
struct LookUpPlan: Sendable, Equatable {
    /// What a look-up brought.
    enum Answer: Equatable {
        /// Kling has the task.
        case found
        /// Kling says that it has no such task.
        case unknown
        /// Kling said nothing that could be understood.
        case none
    }

    /// What is to be done.
    enum Step: Equatable {
        /// Ask Kling then.
        case lookUp(at: MonotonicTime)
        /// Kling has the task; adopt it.
        case adopt
        /// The client is told that nobody knows; a background plan goes on.
        case handOver
        /// The task never reached Kling, nothing was charged.
        case neverMade
    }

    private enum Kind: Equatable {
        case request(deadline: MonotonicTime)
        case background
    }

    /// How long a client waits for a create that is open.
    static let clientWait = Duration.seconds(10)
    /// While the client waits: when, after the outcome became open.
    static let requestTimes: [Duration] = [0, 1, 2, 4, 6, 8].map { .seconds($0) }
    /// How long Kling may be slow to know a task: before that, what it doesn't know is not sent again.
    static let longestLag = Duration.seconds(4)
    /// In the background: how long after the answer before.
    static let backgroundPauses: [Duration] = [0, 1, 2, 5, 15, 60, 300, 900].map { .seconds($0) }
    /// Without answers, the pause doubles from the one to the other.
    static let outagePauses = Duration.seconds(1)...Duration.seconds(60)

    private let kind: Kind
    private let start: MonotonicTime
    private var index = 0
    private var outagePause = LookUpPlan.outagePauses.lowerBound
    /// What is to be done now.
    private(set) var step: Step

    private init(_ kind: Kind, _ start: MonotonicTime) {
        self.kind = kind
        self.start = start
        step = .lookUp(at: start)
    }

    /// While the client waits: as many look-ups as fit in its wait.
    static func request(start: MonotonicTime, until deadline: MonotonicTime? = nil) -> LookUpPlan {
        LookUpPlan(.request(deadline: deadline ?? start + clientWait), start)
    }

    /// Nobody waits: look-ups until Kling has said the last word. After a restart the plan starts anew.
    static func background(start: MonotonicTime) -> LookUpPlan { LookUpPlan(.background, start) }

    /// Whether a create that Kling doesn't know at `now`, by the look-up that was just made, may be sent again. A timer may
    /// fire some milliseconds early: the look-up's own time counts as well.
    func allowsRepeat(at now: MonotonicTime) -> Bool {
        now - start >= Self.longestLag || Self.requestTimes[index] >= Self.longestLag
    }

    /// A look-up is over.
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

    /// The client's time runs on, also when Kling doesn't answer.
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

    /// The plan stands still until Kling answers.
    private mutating func again(_ now: MonotonicTime) -> Step {
        defer { outagePause = min(outagePause * 2, Self.outagePauses.upperBound) }
        return .lookUp(at: now + outagePause)
    }
}
