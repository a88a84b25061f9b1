internal import KlingAPI

/// What the document says of one method of one route.
struct OperationDescription: Sendable {
    /// A body that a request or an answer has.
    struct Content: Sendable {
        var mediaType = "application/json"
        /// Of the body, as JSON Schema has it.
        var schema: JSONLiteral
    }

    /// What an answer of success has.
    struct Success: Sendable {
        var description: String
        var content: Content
        /// Names of header fields among ``HeaderDescriptions`` that such an answer may have.
        var headers: [HeaderDescription] = []
        /// What can be asked for next, by the answer's members.
        var links: JSONLiteral?
    }

    /// A word that code generators make a function of.
    var name: String
    /// A line.
    var summary: String
    /// What a client has to know beside that, as CommonMark.
    var details: String
    var parameters: [JSONLiteral] = []
    /// What the request's body may be; empty: it has none.
    var body: [Content] = []
    var success: Success
    /// Every reason for which it may be answered with an error.
    var causes: Set<Cause>
}

/// A header field of answers.
struct HeaderDescription: Sendable {
    /// As it is sent.
    let name: String
    let description: String
    let schema: JSONLiteral
    /// Whether every answer of which it is said has it.
    var isRequired = false

    static let requestID = HeaderDescription(
        name: "X-Request-Id", description: "The request's own, if it was one of 1 to 128 visible ASCII characters.",
        schema: ["type": "string", "pattern": "^[!-~]{1,128}$"], isRequired: true)
    static let retryAfter = HeaderDescription(
        name: "Retry-After", description: "Seconds after which it is worth to come back.",
        schema: ["type": "integer", "minimum": 1, "maximum": 60], isRequired: true)
    static let shouldRetry = HeaderDescription(
        name: "x-should-retry", description: "Stands where a retry cannot help, or could pay twice.",
        schema: ["type": "string", "const": "false"])
    static let replayed = HeaderDescription(
        name: "Idempotent-Replayed", description: "Stands on what was answered to the same `Idempotency-Key` before.",
        schema: ["type": "string", "const": "true"])
    static let staleness = HeaderDescription(
        name: "x-kling-gateway-stale",
        description: "How many seconds old the state is, where Kling could not be asked.",
        schema: ["type": "integer", "minimum": 1])
    /// What is left of a key's requests, if it has a limit.
    static let limits = [
        HeaderDescription(
            name: "x-ratelimit-limit-requests", description: "The key's requests a minute, if they are limited.",
            schema: ["type": "integer", "minimum": 1]),
        HeaderDescription(
            name: "x-ratelimit-remaining-requests", description: "How many it could make at once.",
            schema: ["type": "integer", "minimum": 0]),
        HeaderDescription(
            name: "x-ratelimit-reset-requests", description: "After which time it could make all of them.",
            schema: ["type": "string", "pattern": "^[0-9]+s$"]),
    ]
    static let all = [requestID, retryAfter, shouldRetry, replayed, staleness] + limits
}
