internal import KlingAPI

/// Why a request fails. Each cause has one ``row``, the only place that defines statuses and codes.
public enum Cause: String, Sendable, CaseIterable {
    // Authentication
    case missingCredentials = "missing_credentials"
    case invalidCredentials = "invalid_credentials"
    case tokenNotYetValid = "token_not_yet_valid"
    case tokenExpired = "token_expired"
    case forbidden

    // The request
    case malformedRequest = "malformed_request"
    case malformedBody = "malformed_body"
    case unknownModel = "unknown_model"
    case unlistedModel = "unlisted_model"
    case badParameter = "bad_parameter"
    case tooSlow = "too_slow"
    case lengthRequired = "length_required"
    case bodyTooLarge = "body_too_large"
    case targetTooLong = "target_too_long"
    case unsupportedMediaType = "unsupported_media_type"
    case expectationFailed = "expectation_failed"
    case headTooLarge = "head_too_large"
    case idempotencyOpen = "idempotency_open"
    case idempotencyMismatch = "idempotency_mismatch"
    case unknownPath = "unknown_path"
    case unknownTask = "unknown_task"
    case methodNotAllowed = "method_not_allowed"
    case notImplemented = "not_implemented"
    case unsupportedVersion = "unsupported_version"

    // A key's limits
    case requestRate = "request_rate"
    case runningTasks = "running_tasks"
    case budgetSpent = "budget_spent"

    // Kling and its accounts
    case accountsFull = "accounts_full"
    case accountsRateLimited = "accounts_rate_limited"
    case accountsCooling = "accounts_cooling"
    case accountsDisabled = "accounts_disabled"
    case refused
    case upstreamFailed = "upstream_failed"
    case upstreamTimedOut = "upstream_timed_out"
    case contentPolicy = "content_policy"
    case taskFailed = "task_failed"
    case taskUnfinished = "task_unfinished"

    // The gateway's own state
    case draining
    case storeUnavailable = "store_unavailable"
    case lookUpsOpen = "look_ups_open"
    case noMemory = "no_memory"
    case internalFault = "internal_fault"

    /// How clients see a cause.
    struct Row {
        /// The HTTP status.
        let status: Int
        /// Kling's service code.
        let code: KlingCode
        /// `error.type`, in OpenAI's vocabulary.
        let type: String
        /// `error.code`, a stable word.
        let word: String
        /// `Retry-After` in seconds, unless the error has its own.
        var retryAfter: Int?
        /// Whether a retry can't help, or could be paid for twice: `x-should-retry: false`.
        var isFinal = false
    }

    /// The row of the table for this cause. For ``refused``, Kling's own status and code replace those of the row.
    var row: Row {
        guard let row = Self.rows[self] else { preconditionFailure("\(self) has no row") }
        return row
    }

    private static let rows: [Cause: Row] = [
        .missingCredentials: Row(status: 401, code: .authorizationEmpty, type: auth, word: "missing_api_key"),
        .invalidCredentials: Row(status: 401, code: .authorizationInvalid, type: auth, word: "invalid_api_key"),
        .tokenNotYetValid: Row(status: 401, code: .tokenNotYetValid, type: auth, word: "token_not_yet_valid"),
        .tokenExpired: Row(status: 401, code: .tokenExpired, type: auth, word: "token_expired"),
        .forbidden: Row(status: 403, code: .permissionDenied, type: "permission_error", word: "permission_denied"),
        .malformedRequest: Row(status: 400, code: .invalidRequest, type: request, word: "malformed_request"),
        .malformedBody: Row(status: 400, code: .invalidRequest, type: request, word: "invalid_body"),
        .unknownModel: Row(status: 400, code: .invalidParameter, type: request, word: "model_not_found"),
        .unlistedModel: Row(status: 404, code: .notFound, type: request, word: "model_not_found"),
        .badParameter: Row(status: 400, code: .invalidParameter, type: request, word: "invalid_parameter"),
        .tooSlow: Row(status: 408, code: .invalidRequest, type: request, word: "request_timeout"),
        .lengthRequired: Row(status: 411, code: .invalidRequest, type: request, word: "length_required"),
        .bodyTooLarge: Row(status: 413, code: .invalidRequest, type: request, word: "body_too_large"),
        .targetTooLong: Row(status: 414, code: .invalidRequest, type: request, word: "target_too_long"),
        .unsupportedMediaType: Row(status: 415, code: .invalidRequest, type: request, word: "unsupported_media_type"),
        .expectationFailed: Row(status: 417, code: .invalidRequest, type: request, word: "expectation_failed"),
        .headTooLarge: Row(status: 431, code: .invalidRequest, type: request, word: "header_too_large"),
        .idempotencyOpen: Row(status: 409, code: .invalidRequest, type: request, word: "idempotency_key_in_use"),
        .idempotencyMismatch: Row(
            status: 422, code: .invalidParameter, type: request, word: "idempotency_key_reused", isFinal: true),
        .unknownPath: Row(status: 404, code: .notFound, type: request, word: "unknown_url"),
        .unknownTask: Row(status: 404, code: .notFound, type: request, word: "task_not_found"),
        .methodNotAllowed: Row(status: 405, code: .invalidMethod, type: request, word: "method_not_allowed"),
        .notImplemented: Row(status: 501, code: .invalidRequest, type: request, word: "not_implemented", isFinal: true),
        .unsupportedVersion: Row(
            status: 505, code: .invalidRequest, type: request, word: "unsupported_version", isFinal: true),
        .requestRate: Row(status: 429, code: .rateLimited, type: limit, word: "rate_limit_exceeded", retryAfter: 1),
        .runningTasks: Row(
            status: 429, code: .concurrencyExceeded, type: limit, word: "too_many_running_tasks", retryAfter: 5),
        .budgetSpent: Row(
            status: 429, code: .resourcePackExhausted, type: limit, word: "budget_spent", retryAfter: 60, isFinal: true),
        .accountsFull: Row(
            status: 429, code: .concurrencyExceeded, type: limit, word: "upstream_saturated", retryAfter: 5),
        .accountsRateLimited: Row(
            status: 429, code: .rateLimited, type: limit, word: "upstream_rate_limited", retryAfter: 2),
        .accountsCooling: Row(status: 502, code: .internalError, type: server, word: "upstream_unavailable"),
        .accountsDisabled: Row(
            status: 503, code: .unavailable, type: server, word: "upstream_account_refused", retryAfter: 60,
            isFinal: true),
        .refused: Row(status: 400, code: .invalidParameter, type: request, word: "refused"),
        .upstreamFailed: Row(status: 502, code: .internalError, type: server, word: "upstream_failed", isFinal: true),
        .upstreamTimedOut: Row(status: 504, code: .timeout, type: server, word: "upstream_timeout", isFinal: true),
        .contentPolicy: Row(
            status: 400, code: .contentPolicy, type: request, word: "content_policy_violation", isFinal: true),
        .taskFailed: Row(status: 400, code: .invalidParameter, type: request, word: "task_failed", isFinal: true),
        .taskUnfinished: Row(status: 504, code: .timeout, type: server, word: "task_unfinished", isFinal: true),
        .draining: Row(status: 503, code: .unavailable, type: server, word: "shutting_down", retryAfter: 2),
        .storeUnavailable: Row(status: 503, code: .unavailable, type: server, word: "store_unavailable", retryAfter: 5),
        .lookUpsOpen: Row(status: 503, code: .unavailable, type: server, word: "look_ups_open", retryAfter: 1),
        .noMemory: Row(status: 503, code: .unavailable, type: server, word: "overloaded", retryAfter: 5),
        .internalFault: Row(status: 500, code: .internalError, type: server, word: "internal_error", isFinal: true),
    ]

    private static let auth = "authentication_error"
    private static let request = "invalid_request_error"
    private static let limit = "rate_limit_error"
    private static let server = "server_error"
}
