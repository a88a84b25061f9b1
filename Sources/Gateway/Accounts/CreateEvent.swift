internal import KlingAPI

/// The outcome of a create that had reserved a slot of an account.
///
/// Lookups, queries and lists are not creates; their outcomes say nothing about an account's room.
enum CreateEvent: Sendable, Hashable {
    /// Kling has the task; it runs until ``ended``.
    case accepted
    /// No byte left the gateway, because the account could not be reached.
    case notSent
    /// Kling has rejected the task for a reason on the account's side.
    case refusedForNow(AccountFault)
    /// Kling has rejected the task for a reason in the request.
    case refusedForGood
    /// It is unknown whether Kling has the task, which may be running.
    case ambiguous
    /// Kling doesn't know the task of an ambiguous create, which takes up no slot unless it is ``accepted`` after all.
    case missing
    /// The task has ended, or was never made.
    case ended
    /// The create was not tried: the caller gave back the slot.
    case withdrawn
}

/// Why an account takes no task now.
enum AccountFault: Sendable, Hashable {
    /// As many tasks are running as its resource packs allow (1303).
    case saturated
    /// It gets too many requests (1302).
    case rateLimited
    /// Kling is temporarily unavailable (5001).
    case unavailable
    /// It cannot be used until the operator acts (1000–1004, 1100–1102, 1304), with Kling's message. 1003 and 1004 are
    /// included because a newly signed token was rejected as well, which means that a clock is wrong.
    case account(KlingCode, reason: String)
    /// It may not use this model (1103), with Kling's message.
    case model(KlingCode, reason: String)

    /// Reads an answer whose outcome is ``CreateOutcome/refusedForNow``.
    init(_ answer: KlingAnswer) {
        switch answer.code.class {
        case .saturated: self = .saturated
        case .rateLimited: self = .rateLimited
        case .credentials, .tokenTime: self = .account(answer.code, reason: answer.message)
        case .permission: self = .model(answer.code, reason: answer.message)
        case .ok, .request, .unavailable, .ambiguous, .unknown: self = .unavailable
        }
    }

    /// Reads such an answer that has no Kling envelope.
    init(_ answer: BareAnswer) {
        switch answer.verdict {
        case .account(let code): self = .account(code, reason: answer.summary)
        case .model: self = .model(.permissionDenied, reason: answer.summary)
        case .rateLimited: self = .rateLimited
        case .unavailable, .request, .ambiguous: self = .unavailable
        }
    }
}

/// The outcome of the free list call that probes a disabled account.
enum ProbeOutcome: Sendable, Hashable {
    /// Kling listed the account's tasks. Or the account has no list, as with some resellers, and only a create can show
    /// whether it is accepted.
    case answered
    /// Kling still rejects the account.
    case refused(KlingCode, reason: String)
    /// There was no answer, or one that says nothing about the account.
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
