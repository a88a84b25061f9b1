internal import KlingAPI

/// What the answer to a create, or its loss, says about the task. A value: nothing is recorded here.
enum CreateVerdict: Sendable {
    /// Kling has the task, under this id.
    case accepted(KlingAnswer, upstreamID: String)
    /// No account will take it.
    case refused(httpStatus: Int, KlingAnswer)
    /// This account does not take it now; another one may.
    case declined(AccountFault)
    /// It was not sent, because the account could not be reached.
    case notSent
    /// This account does not accept this request; another one may.
    case unsuitable(GatewayError)
    /// It is unknown whether Kling has the task.
    case open(timedOut: Bool)

    init(_ answer: Result<UpstreamAnswer, KlingFailure>) {
        self =
            switch answer {
            case .success(.enveloped(let status, let answer)): Self(answer, status)
            case .success(.bare(let answer)): Self(answer)
            case .failure(let failure): failure.wasSent ? .open(timedOut: failure.fault == .timeout) : .notSent
            }
    }

    private init(_ answer: KlingAnswer, _ status: Int) {
        self =
            switch CreateOutcome(httpStatus: status, answer) {
            case .accepted(let upstreamID): .accepted(answer, upstreamID: upstreamID)
            case .refusedForNow: .declined(AccountFault(answer))
            case .refusedForGood: .refused(httpStatus: status, answer)
            case .refusedHere, .ambiguous: .open(timedOut: answer.code == .timeout || status == 504)
            }
    }

    private init(_ answer: BareAnswer) {
        self =
            switch CreateOutcome(answer) {
            case .refusedForNow: .declined(AccountFault(answer))
            case .refusedHere, .refusedForGood: .unsuitable(GatewayError(answer))
            case .accepted, .ambiguous: .open(timedOut: answer.httpStatus == 504)
            }
    }

    /// What it means for the account.
    var event: CreateEvent {
        switch self {
        case .accepted: .accepted
        case .refused, .unsuitable: .refusedForGood
        case .declined(let fault): .refusedForNow(fault)
        case .notSent: .notSent
        case .open: .ambiguous
        }
    }
}
