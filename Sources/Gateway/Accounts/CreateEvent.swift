internal import KlingAPI

/// What became of a create that had reserved a slot of an account.
///
/// Look-ups, queries and lists are no creates: what comes of them says nothing about an account's room.
enum CreateEvent: Sendable, Hashable {
    /// Kling has the task; it runs until ``ended``.
    case accepted
    /// No byte left the gateway: the account could not be reached.
    case notSent
    /// Kling has not taken the task, for a reason that lies with the account.
    case refusedForNow(AccountFault)
    /// Kling has not taken the task, for a reason that lies with the request.
    case refusedForGood
    /// Nobody knows whether Kling has the task, which may run.
    case ambiguous
    /// Kling doesn't know the task of an ambiguous create: it takes up nothing until it is ``accepted`` after all.
    case missing
    /// The task has ended, or was never made.
    case ended
    /// The create was not even tried: whoever had reserved the slot had no use for it.
    case withdrawn
}

/// Why an account takes no task now.
enum AccountFault: Sendable, Hashable {
    /// As many tasks run as its packs allow (1303).
    case saturated
    /// It is asked too often (1302).
    case rateLimited
    /// Kling is down for a while (5001).
    case unavailable
    /// It cannot be used until its operator acts (1000–1004, 1100–1102, 1304), in Kling's words. 1003 and 1004 are
    /// among them because a token signed anew was outside of its time as well: a clock is wrong.
    case account(KlingCode, reason: String)
    /// It may not use this model (1103), in Kling's words.
    case model(KlingCode, reason: String)

    /// Reads an answer that is ``CreateOutcome/refusedForNow``.
    init(_ answer: KlingAnswer) {
        switch answer.code.class {
        case .saturated: self = .saturated
        case .rateLimited: self = .rateLimited
        case .credentials, .tokenTime: self = .account(answer.code, reason: answer.message)
        case .permission: self = .model(answer.code, reason: answer.message)
        case .ok, .request, .unavailable, .ambiguous, .unknown: self = .unavailable
        }
    }

    /// Reads such an answer without Kling's envelope.
    init(_ answer: BareAnswer) {
        switch answer.verdict {
        case .account(let code): self = .account(code, reason: answer.summary)
        case .model: self = .model(.permissionDenied, reason: answer.summary)
        case .rateLimited: self = .rateLimited
        case .unavailable, .request, .ambiguous: self = .unavailable
        }
    }
}

/// What came of the free list call by which a disabled account is probed.
enum ProbeOutcome: Sendable, Hashable {
    /// Kling listed the account's tasks; or the account has no list, as resellers' may, and only a create can show whether
    /// it is accepted.
    case answered
    /// Kling still refuses the account.
    case refused(KlingCode, reason: String)
    /// There was no answer, or none that says anything about the account.
    case failed

    /// Reads the answer to a list call; `nil` if there was none.
    init(_ answer: UpstreamAnswer?) {
        switch answer {
        case nil: self = .failed
        case let answer? where answer.hasNoRoute: self = .answered
        case .enveloped(_, let answer): self.init(answer)
        case .bare(let answer): self.init(answer)
        }
    }

    private init(_ answer: KlingAnswer) {
        switch answer.code.class {
        case .ok: self = .answered
        case .credentials, .tokenTime, .permission: self = .refused(answer.code, reason: answer.message)
        case .request, .rateLimited, .saturated, .unavailable, .ambiguous, .unknown: self = .failed
        }
    }

    private init(_ answer: BareAnswer) {
        switch answer.verdict {
        case .account(let code): self = .refused(code, reason: answer.summary)
        case .unavailable, .rateLimited, .model, .request, .ambiguous: self = .failed
        }
    }
}
