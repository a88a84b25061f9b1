/// Microseconds since the run began.
typealias Moment = Int

/// What clients were told, asked for and called about.
struct ClientBook: Sendable {
    var creates: [Int: CreateEntry] = [:]
    /// Queries and lists during the run.
    var sightings: [Sighting] = []
    var callbacks: [Callback] = []
}

/// A task as a client sees it.
struct SeenTask: Sendable, Hashable {
    let id: String
    let status: String
    var externalTaskID: String?
    var message: String?

    /// How far it has come: states only ever go forward.
    var rank: Int? { ["submitted": 0, "processing": 1, "succeed": 2, "failed": 2][status] }
    var isFinal: Bool { rank == 2 }
}

/// One logical create: what was wanted, and what came of each attempt.
struct CreateEntry: Sendable {
    let number: Int
    let tenant: String
    var externalTaskID: String?
    var hasKey = false
    var wantsCallback = false
    var attempts: [Attempt] = []

    /// The ids that the client was told, each once, with the moment.
    var told: [(id: String, at: Moment)] {
        var ids: Set<String> = []
        return attempts.compactMap { attempt in
            attempt.toldID.flatMap { ids.insert($0).inserted ? ($0, attempt.ended) : nil }
        }
    }

    /// Whether its client has a key, and does not know what came of it.
    var isUndecided: Bool { hasKey && attempts.last?.outcome.invitesAnother(hasKey: true) == true }

    /// Whether a client has heard that the task was accepted.
    var isAccepted: Bool { attempts.contains { if case .accepted = $0.outcome { true } else { false } } }
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

        /// Whether a client sends the same again. Without an `Idempotency-Key` only what surely made nothing is sent again.
        func invitesAnother(hasKey: Bool) -> Bool {
            switch self {
            case .accepted: false
            case .refused(429, _, _, _, _), .refused(503, _, _, _, _): true
            case .refused(let status, _, _, _, _): hasKey && (status == 409 || status >= 500)
            case .nothing(let wasSent, _): hasKey || !wasSent
            case .left: hasKey
            }
        }
    }

    let began: Moment
    let ended: Moment
    let outcome: Outcome

    var toldID: String? {
        switch outcome {
        case .accepted(let task): task.id
        case .refused(_, _, _, let taskID, _): taskID
        case .nothing, .left: nil
        }
    }
}

/// What a client found when it asked.
struct Sighting: Sendable {
    /// How it asked.
    enum Question: Sendable, Hashable {
        /// A query by what the client takes for the task's id: Kling's, the gateway's, or its own.
        case id(String)
        case list
    }

    enum Finding: Sendable, Equatable {
        case tasks([SeenTask])
        /// 404: no such task.
        case unknown
        /// Another answer that is none.
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
