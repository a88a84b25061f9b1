internal import Base
internal import KlingAPI
internal import TaskStore

/// The figures that alerts are judged by.
struct AlertFigures: Sendable {
    /// Attempts to call clients back.
    struct Callbacks: Sendable {
        var delivered: UInt64 = 0
        /// Including those that were given up.
        var failed: UInt64 = 0
        var givenUp: UInt64 = 0
    }

    /// Answers to clients.
    struct Answers: Sendable {
        var all: UInt64 = 0
        /// Those with a status of 500 or more.
        var errors: UInt64 = 0
    }

    /// The time that ``callbacks`` are from.
    static let callbackWindow = Duration.seconds(1800)
    /// The time that ``answers`` are from.
    static let answerWindow = Duration.seconds(300)

    var accounts: [AccountFigures] = []
    var tasks = TaskFigures()
    var callbacks = Callbacks()
    var answers = Answers()
    var budgets: [BudgetFigures] = []

    /// Everything that is wrong.
    var conditions: [AlertCondition] {
        accounts.compactMap(Self.account) + [stuck, unknown, failingCallbacks, queueAge, errorShare].compactMap(\.self)
            + budgets.flatMap(Self.budget)
    }

    // MARK: Accounts

    private static let longestReason = 500

    private static func account(_ account: AccountFigures) -> AlertCondition? {
        guard let (kind, words) = problem(of: account) else { return nil }
        var details: [AlertDetail] = [.text("state", account.state.rawValue)]
        if let code = account.disabledBy { details.append(.number("code", code.rawValue)) }
        if let reason = account.reason { details.append(.text("reason", String(reason.prefix(longestReason)))) }
        return AlertCondition(
            kind: kind, subject: account.name, summary: "The account \(account.name) \(words).", details: details)
    }

    private static func problem(of account: AccountFigures) -> (AlertKind, words: String)? {
        switch account.state {
        case .disabled where account.isOutOfUnits: (.accountOutOfUnits, "has no units or money left")
        case .disabled: (.accountDisabled, "is disabled by Kling")
        case .unreached: (.accountDisabled, "was never reached")
        case .healthy, .saturated, .cooling: nil
        }
    }

    // MARK: Tasks

    private var stuck: AlertCondition? {
        guard tasks.stuck > 0 else { return nil }
        return AlertCondition(
            kind: .tasksStuck, subject: "", summary: "Tasks without news from Kling for a day: \(tasks.stuck).",
            details: [.number("count", tasks.stuck)])
    }

    private var unknown: AlertCondition? {
        guard tasks.unknown > 0 else { return nil }
        return AlertCondition(
            kind: .tasksUnknown, subject: "",
            summary: "Tasks of which it is unknown whether Kling has them: \(tasks.unknown).",
            details: [.number("count", tasks.unknown)])
    }

    /// Raised from half of the longest time on, and kept from a quarter on.
    private var queueAge: AlertCondition? {
        guard let longest = tasks.longestQueuedSeconds, tasks.queued > 0 else { return nil }
        let oldest = tasks.oldestQueuedSeconds
        guard oldest * 4 >= longest else { return nil }
        return AlertCondition(
            kind: .queueAge, subject: "", isFirm: oldest * 2 >= longest,
            summary: "The oldest queued task has waited for \(Int(oldest)) s; after \(Int(longest)) s it fails.",
            details: [
                .number("oldest_seconds", Int(oldest)), .number("max_age_seconds", Int(longest)),
                .number("tasks", tasks.queued),
            ])
    }

    // MARK: Callbacks and answers

    /// Raised if half of at least five attempts fail, or one callback is given up; kept while a quarter fail.
    private var failingCallbacks: AlertCondition? {
        let (failed, all) = (callbacks.failed, callbacks.failed + callbacks.delivered)
        let isFirm = callbacks.givenUp > 0 || failed >= 5 && failed * 2 >= all
        guard isFirm || failed > 0 && failed * 4 >= all else { return nil }
        let minutes = Int(Self.callbackWindow.seconds) / 60
        return AlertCondition(
            kind: .callbacksFailing, subject: "", isFirm: isFirm,
            summary: "Of \(all) attempts to call clients back in \(minutes) minutes, \(failed) failed.",
            details: [
                .number("attempts", all), .number("failed", failed), .number("given_up", callbacks.givenUp),
                .number("window_seconds", Int(Self.callbackWindow.seconds)),
            ])
    }

    /// Raised if a tenth of at least 20 answers are errors; kept while a twentieth are.
    private var errorShare: AlertCondition? {
        let (errors, all) = (answers.errors, answers.all)
        guard errors > 0, errors * 20 >= all else { return nil }
        let minutes = Int(Self.answerWindow.seconds) / 60
        return AlertCondition(
            kind: .errorShare, subject: "", isFirm: all >= 20 && errors * 10 >= all,
            summary: "Of \(all) answers in \(minutes) minutes, \(errors) had a status of 500 or more.",
            details: [
                .number("answers", all), .number("errors", errors),
                .number("window_seconds", Int(Self.answerWindow.seconds)),
            ])
    }

    // MARK: Budgets

    /// One condition for each share of the budget that is reached: the one to warn from, and all of it.
    private static func budget(_ figures: BudgetFigures) -> [AlertCondition] {
        let budget = figures.use.budget
        let warn = budget.warnAtPercent.map { $0 < 100 ? [$0] : [] } ?? []
        return (warn + [100]).filter { figures.usedRatio * 100 >= Double($0) }.map { percent in
            let name = "\(budget.metric)/\(budget.period)"
            let (used, limit) = (budget.text(figures.use.used), budget.text(figures.limit))
            var details: [AlertDetail] = [
                .text("metric", "\(budget.metric)"), .text("period", "\(budget.period)"),
                .number("threshold_percent", percent), .decimal("used", used), .decimal("limit", limit),
            ]
            if let end = figures.resetsAt { details.append(.number("resets_at", end)) }
            let words = percent == 100 ? "all" : "\(percent) %"
            return AlertCondition(
                kind: .budgetThreshold, subject: figures.tenant, part: "\(name)/\(percent)",
                summary: "The tenant \(figures.tenant) has used \(words) of its budget \(name): \(used) of \(limit).",
                details: details)
        }
    }
}
