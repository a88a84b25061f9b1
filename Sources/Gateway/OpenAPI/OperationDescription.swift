internal import KlingAPI

/// The description of one method of one route in the OpenAPI document.
struct OperationDescription: Sendable {
    /// The body of a request or an answer.
    struct Content: Sendable {
        var mediaType = "application/json"
        /// The JSON Schema of the body.
        var schema: JSONLiteral
        /// A body that is accepted. The page shows links to ``exampleHost`` as the caller's own files.
        var example: JSONLiteral?
    }

    /// The host of pictures in examples.
    static let exampleHost = "https://shop.example.com/"

    /// A request that can follow an answer, filled from the answer's members.
    struct Link: Sendable {
        /// The ``OperationDescription/name`` of the request.
        let operation: String
        /// The values of its parameters, as runtime expressions.
        let parameters: JSONLiteral
    }

    /// The description of a success answer.
    struct Success: Sendable {
        var description: String
        var content: Content
        /// What the request may ask for instead.
        var otherContent: Content?
        /// The header fields that such an answer may have.
        var headers: [HeaderDescription] = []
        /// The request that queries what the answer names.
        var query: Link?
    }

    /// The `operationId`, from which code generators name a function.
    var name: String
    /// The summary, one line.
    var summary: String
    /// What else a client has to know, as CommonMark.
    var details: String
    var parameters: [JSONLiteral] = []
    /// The alternatives for the request's body; empty if it has none.
    var body: [Content] = []
    var success: Success
    /// Every cause for which it may be answered with an error.
    var causes: Set<Cause>
}

/// A header field of answers.
struct HeaderDescription: Sendable {
    /// The name as it is sent.
    let name: String
    let description: String
    let schema: JSONLiteral
    /// Whether every answer that lists the field has it.
    var isRequired = false

    static let requestID = HeaderDescription(
        name: "X-Request-Id",
        description: "The request's own if it has 1 to 128 visible ASCII characters; otherwise a new one.",
        schema: ["type": "string", "pattern": "^[!-~]{1,128}$"], isRequired: true)
    static let retryAfter = HeaderDescription(
        name: "Retry-After", description: "Seconds to wait before retrying.",
        schema: ["type": "integer", "minimum": 1, "maximum": 60], isRequired: true)
    static let shouldRetry = HeaderDescription(
        name: "x-should-retry", description: "Sent if a retry cannot help or could be charged twice.",
        schema: ["type": "string", "const": "false"])
    static let replayed = HeaderDescription(
        name: "Idempotent-Replayed", description: "Sent if this answer was already given to an earlier request.",
        schema: ["type": "string", "const": "true"])
    static let staleness = HeaderDescription(
        name: "x-kling-gateway-stale",
        description: "How many seconds old the state is; sent if Kling could not be asked.",
        schema: ["type": "integer", "minimum": 1])
    /// The state of a key's request limit, if it has one.
    static let limits = [
        HeaderDescription(
            name: "x-ratelimit-limit-requests", description: "The key's limit of requests per minute, if it has one.",
            schema: ["type": "integer", "minimum": 1]),
        HeaderDescription(
            name: "x-ratelimit-remaining-requests", description: "How many requests the key may still make now.",
            schema: ["type": "integer", "minimum": 0]),
        HeaderDescription(
            name: "x-ratelimit-reset-requests",
            description: "How long until the key may make all of its requests again.",
            schema: ["type": "string", "pattern": "^[0-9]+s$"]),
    ]
    static let all = [requestID, retryAfter, shouldRetry, replayed, staleness] + limits
}
