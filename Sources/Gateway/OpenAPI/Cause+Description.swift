extension Cause {
    /// The cause's meaning, as it appears in the document.
    var meaning: String {
        switch self {
        case .missingCredentials: "There is no key."
        case .invalidCredentials: "The key or token is malformed, unknown, revoked, or not signed by its issuer."
        case .tokenNotYetValid: "The token's `nbf` lies ahead."
        case .tokenExpired: "The token's `exp` is past."
        case .forbidden: "The key may not use this model, or not from this address."
        case .malformedRequest: "The request is not sound HTTP."
        case .malformedBody: "The body cannot be read, or a member of it has the wrong type."
        case .unknownModel, .unlistedModel: "There is no such model."
        case .badParameter: "A member or parameter is missing, or has a value that it cannot have."
        case .tooSlow: "The head or the body came too slowly."
        case .lengthRequired: "There is no body."
        case .bodyTooLarge: "The body is too large."
        case .targetTooLong: "The target is too long."
        case .unsupportedMediaType: "The body's type or coding is not read here."
        case .expectationFailed: "An `Expect` other than `100-continue`."
        case .headTooLarge: "The head is too large."
        case .idempotencyOpen: "The first request with this `Idempotency-Key` is still being answered."
        case .idempotencyMismatch: "The `Idempotency-Key` came with another request before."
        case .unknownPath: "Nothing is served there."
        case .unknownTask: "There is no such task, or it is another tenant's."
        case .methodNotAllowed: "The path has other methods."
        case .notImplemented: "The method or the transfer coding is not known."
        case .unsupportedVersion: "It is not HTTP/1.0 or HTTP/1.1."
        case .requestRate: "The key has made as many requests as it may."
        case .runningTasks: "As many of the key's tasks run as may."
        case .accountsFull: "No account of Kling's has room, and neither has the queue."
        case .accountsRateLimited: "Kling asks for fewer requests."
        case .accountsCooling: "Kling cannot be reached. Nothing was made."
        case .accountsDisabled: "Kling refuses the gateway's accounts, or none was ever reached: its operator must act."
        case .refused: "Kling has refused the request for good: the status, the code and the message are Kling's."
        case .upstreamFailed: "Kling has failed; the task may exist: query it by `error.task_id`."
        case .upstreamTimedOut: "Kling did not answer in time; the task may exist: query it by `error.task_id`."
        case .contentPolicy: "Kling's content moderation has refused the pictures."
        case .taskFailed: "The task has failed."
        case .taskUnfinished: "The picture is not there in time; query it by `error.task_id`."
        case .draining: "The gateway is stopping."
        case .storeUnavailable: "The gateway's store cannot be used now."
        case .lookUpsOpen: "The gateway has just started and still looks up creates: the task may be one of them."
        case .noMemory: "The gateway has no memory for another upload."
        case .internalFault: "The gateway has failed."
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
        .unknownModel, .runningTasks, .accountsFull, .accountsRateLimited, .accountsCooling, .accountsDisabled,
        .refused, .upstreamFailed, .upstreamTimedOut,
    ])
}
