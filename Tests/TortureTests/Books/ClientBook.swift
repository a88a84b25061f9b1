/// Microseconds since the run began.
typealias Moment = Int

/// What clients were told, queried and were called back about.
struct ClientBook: Sendable {
    var creates: [Int: CreateEntry] = [:]
    /// Queries and lists during the run.
    var sightings: [Sighting] = []
    var callbacks: [Callback] = []
    /// When the gateway was killed.
    var kills: [Moment] = []
    /// The kills that were power cuts: from the kill to the next start, in order.
    var powerCuts: [ClosedRange<Moment>] = []
    /// When the store could not be written to.
    var outages: [ClosedRange<Moment>] = []
    /// When the machine was too busy.
    var lags: [ClosedRange<Moment>] = []
    /// How often the gateway's clock was set.
    var clockSteps = 0
}

/// A task as a client sees it.
struct SeenTask: Sendable, Hashable {
    let id: String
    let status: String
    var externalTaskID: String?
    var message: String?
    /// The URL of its picture.
    var picture: String?

    /// How far it has come: states only go forward.
    var rank: Int? { ["submitted": 0, "processing": 1, "succeed": 2, "failed": 2][status] }
    var isFinal: Bool { rank == 2 }
}

/// One logical create: what was wanted, and the outcome of each attempt.
struct CreateEntry: Sendable {
    let number: Int
    let tenant: String
    var externalTaskID: String?
    var hasKey = false
    /// Whether it is resent without a key.
    var resends = false
    /// How many equal creates its client wants.
    var wanted = 1
    var wantsCallback = false
    var attempts: [Attempt] = []

    var persistence: Persistence { hasKey ? .key : resends ? .content : .none }

    /// How many answers arrived at clients that did not read them to the end. Only the client knows that it has not
    /// read them, so the same content sent again may be another create.
    var tornAnswers: Int { attempts.count { $0.outcome == .cut(hasArrived: true) } }

    /// The ids that the client was told, each once, with the time.
    var told: [(id: String, at: Moment)] {
        var ids: Set<String> = []
        return attempts.compactMap { attempt in
            attempt.toldID.flatMap { ids.insert($0).inserted ? ($0, attempt.ended) : nil }
        }
    }

    /// Whether an answer is right to say that the create's own id is in use: as far as the gateway can know, the client
    /// has read the first answer.
    func mayBeInUse(_ outcome: Attempt.Outcome) -> Bool {
        guard case .refused(400, 1201, _, _, _) = outcome else { return false }
        return externalTaskID != nil && !hasKey && tornAnswers > 0
    }

    /// Whether its client may resend it and does not know its outcome.
    var isUndecided: Bool {
        persistence != .none && attempts.last?.outcome.invitesAnother(persistence) == true
    }

    /// Whether its client was told that the task was accepted.
    var isAccepted: Bool { !acceptances.isEmpty }

    /// The answers that accepted it, in order.
    var acceptances: [(id: String, at: Moment)] {
        attempts.compactMap { attempt in
            if case .accepted(let task) = attempt.outcome { (task.id, attempt.ended) } else { nil }
        }
    }
}

/// How the gateway recognizes a create that is resent.
enum Persistence: Sendable {
    /// Not at all: only a create that certainly made nothing is resent.
    case none
    case key
    /// By its content, until an answer was read.
    case content
}

/// One request of a create.
struct Attempt: Sendable {
    /// What the client got.
    enum Outcome: Sendable, Equatable {
        /// 200 with the task.
        case accepted(SeenTask)
        /// Anything else.
        /// - taskID: `error.task_id`, if the answer had one.
        /// - forbidsRetry: whether it said `x-should-retry: false`.
        case refused(status: Int, code: Int?, message: String, taskID: String?, forbidsRetry: Bool)
        /// No answer: the connection was refused or lost, or time ran out.
        case nothing(wasSent: Bool, reason: String)
        /// The client did not wait.
        /// - isWhole: whether it sent all of the request.
        case left(isWhole: Bool)
        /// The connection was cut after the request, before all of the answer was read.
        /// - hasArrived: whether the answer had arrived, in part or as a whole.
        case cut(hasArrived: Bool)

        /// Whether a client resends the same create.
        func invitesAnother(_ persistence: Persistence) -> Bool {
            switch self {
            case .accepted: false
            case .refused where isOverBudget: false
            case .refused(429, _, _, _, _), .refused(503, _, _, _, _): true
            case .refused(let status, _, _, _, _):
                persistence == .key ? status == 409 || status >= 500 : persistence == .content && status >= 500
            case .nothing(let wasSent, _): persistence != .none || !wasSent
            case .left, .cut: persistence != .none
            }
        }
    }

    let began: Moment
    let ended: Moment
    let outcome: Outcome
    /// Whether the answer said `Idempotent-Replayed: true`.
    var isReplay = false

    var toldID: String? {
        switch outcome {
        case .accepted(let task): task.id
        case .refused(_, _, _, let taskID, _): taskID
        case .nothing, .left, .cut: nil
        }
    }
}

/// What a client found when it asked.
struct Sighting: Sendable {
    /// What it asked for.
    enum Question: Sendable, Hashable {
        /// A query by what the client takes for the task's id: Kling's, the gateway's, or its own.
        case id(String)
        case list
    }

    enum Finding: Sendable, Equatable {
        case tasks([SeenTask])
        /// 404: no such task.
        case unknown
        /// 503 with `Retry-After`: it may be found later.
        case later
        /// An error.
        case error(status: Int)
    }

    let tenant: String
    let question: Question
    let began: Moment
    let ended: Moment
    let finding: Finding
}

/// A message that came to a callback URL.
struct Callback: Sendable {
    let create: Int
    let at: Moment
    /// Its `webhook-id`.
    let id: String
    /// Whether the tenant's secret verifies it.
    let isSigned: Bool
    let task: SeenTask
    /// Whether it was answered with 2xx.
    let wasTaken: Bool
}
