extension Cause {
    /// The cause's meaning, as it appears in the document.
    var meaning: String {
        switch self {
        case .missingCredentials: "The request has no key."
        case .invalidCredentials: "The key or token is malformed, unknown, revoked, or not signed by its issuer."
        case .tokenNotYetValid: "The token is not valid yet: its `nbf` is in the future."
        case .tokenExpired: "The token has expired: its `exp` is in the past."
        case .forbidden: "The key may not use this model, or may not be used from this address."
        case .malformedRequest: "The request is not valid HTTP."
        case .malformedBody: "The body is not valid, or one of its members has the wrong type."
        case .unknownModel, .unlistedModel: "There is no such model."
        case .badParameter: "A member or parameter is missing or has an invalid value."
        case .tooSlow: "The head or the body took too long to arrive."
        case .lengthRequired: "The request has no body."
        case .bodyTooLarge: "The body is too large."
        case .targetTooLong: "The target is too long."
        case .unsupportedMediaType: "This path does not accept the body's content type or encoding."
        case .expectationFailed: "The request has an `Expect` other than `100-continue`."
        case .headTooLarge: "The head is too large."
        case .idempotencyOpen: "The first request with this `Idempotency-Key` is still being answered."
        case .idempotencyMismatch: "The `Idempotency-Key` was already used for a different request."
        case .unknownPath: "There is nothing at this path."
        case .unknownTask: "There is no such task, or it belongs to another tenant."
        case .methodNotAllowed: "The path does not support this method."
        case .notImplemented: "The method or the transfer coding is unknown."
        case .unsupportedVersion: "The request is not HTTP/1.0 or HTTP/1.1."
        case .requestRate: "The key or its tenant has reached its limit of requests per minute."
        case .runningTasks: "The key or its tenant has reached its limit of running tasks."
        case .budgetSpent: "A budget of the tenant has not enough left."
        case .accountsFull: "No Kling account has room, and the queue is full or off."
        case .accountsRateLimited: "Kling is rate limiting the gateway."
        case .accountsCooling: "Kling cannot be reached. No task was made."
        case .accountsDisabled:
            "Kling refuses the gateway's accounts, or none has been reached yet: the operator must act."
        case .refused: "Kling has refused the request permanently. The status, the code and the message are Kling's."
        case .upstreamFailed: "Kling has failed. The task may exist: query it by `error.task_id`."
        case .upstreamTimedOut: "Kling did not answer in time. The task may exist: query it by `error.task_id`."
        case .contentPolicy: "Kling's content moderation has refused the pictures."
        case .taskFailed: "The task has failed."
        case .taskUnfinished: "The picture is not ready yet. Query the task by `error.task_id`."
        case .draining: "The gateway is stopping."
        case .storeUnavailable: "The gateway's store is unavailable."
        case .lookUpsOpen:
            "The gateway has just started and is still looking up creates. The task may be one of them."
        case .noMemory: "The gateway has no memory left for this request."
        case .internalFault: "The gateway has failed because of a bug."
        }
    }
}

extension Set<Cause> {
    /// The causes for which any request may be refused.
    static let anything: Set = [
        .malformedRequest, .tooSlow, .targetTooLong, .expectationFailed, .headTooLarge, .notImplemented,
        .unsupportedVersion, .draining, .internalFault,
    ]
    /// The same for requests that need a key.
    static let withKey = anything.union([
        .missingCredentials, .invalidCredentials, .tokenNotYetValid, .tokenExpired, .forbidden, .requestRate,
        .storeUnavailable,
    ])
    /// The same for requests with a body.
    static let withBody = withKey.union([
        .lengthRequired, .bodyTooLarge, .unsupportedMediaType, .noMemory, .malformedBody, .badParameter,
        .idempotencyOpen, .idempotencyMismatch,
    ])
    /// The same for requests that create tasks.
    static let withTasks: Set = withBody.union([
        .unknownModel, .runningTasks, .budgetSpent, .accountsFull, .accountsRateLimited, .accountsCooling,
        .accountsDisabled, .refused, .upstreamFailed, .upstreamTimedOut,
    ])
}
