/// An answer without Kling's envelope: a proxy's error page, or an error from a reseller that runs new-api.
public struct BareAnswer: Sendable, Hashable {
    /// What such an answer to a create means.
    public enum Verdict: Sendable, Hashable {
        /// The account is temporarily unavailable. Nothing was created.
        case unavailable
        /// The account gets too many requests. Nothing was created.
        case rateLimited
        /// The account cannot be used until its operator acts: its key, its quota or its URL is at fault. Nothing was
        /// created. The code is Kling's equivalent.
        case account(KlingCode)
        /// The account does not serve the model. Nothing was created.
        case model
        /// The account does not accept this request, such as a body of that size; another may. Nothing was created.
        case request
        /// It is unknown whether anything was created.
        case ambiguous
    }

    /// The HTTP status.
    public let httpStatus: Int
    /// new-api's error code, from `code` or `error.code`; `nil` if there is none.
    public let word: String?
    /// The error message, at most 200 characters without control characters; `nil` if there is none.
    public let message: String?

    private static let longestMessage = 200

    /// Reads an answer whose body is not an envelope.
    public init(httpStatus: Int, body: [UInt8] = []) {
        self.httpStatus = httpStatus
        let answer = JSONObject(body)
        let error = answer?.object("error")
        word = Self.filled(answer?.string("code")) ?? Self.filled(error?.string("code"))
        message = Self.filled(answer?.string("message") ?? error?.string("message")).map { message in
            String(
                String.UnicodeScalarView(message.unicodeScalars.filter { $0.properties.generalCategory != .control }))
        }.map { String($0.prefix(Self.longestMessage)) }
    }

    /// The verdict, from ``word`` if it is known, otherwise from the status.
    public var verdict: Verdict { word.flatMap { Self.words[$0] } ?? Self.verdict(ofStatus: httpStatus) }

    /// Whether this answer to a query by id says that there is no such task.
    public var isUnknownTask: Bool { word == "task_not_exist" }

    /// The answer in one line for operators, such as `HTTP 403 (insufficient_user_quota): quota used up`.
    public var summary: String {
        "HTTP \(httpStatus)" + (word.map { " (\($0))" } ?? "") + (message.map { ": \($0)" } ?? "")
    }

    private static func verdict(ofStatus status: Int) -> Verdict {
        switch status {
        case 300...399: .unavailable
        case 401: .account(.authenticationFailed)
        case 402: .account(.accountInArrears)
        case 403: .account(.accountAbnormal)
        case 404: .account(.notFound)
        case 405, 501: .account(.invalidMethod)
        case 411, 413, 414, 415, 431: .request
        case 429: .rateLimited
        default: .ambiguous
        }
    }

    /// The error codes with which new-api says that it did not forward the request. `task_failed`, `fail_to_fetch_task`
    /// and `do_request_failed` are not among them: new-api sends them after it has called its upstream.
    private static let words: [String: Verdict] = [
        "insufficient_user_quota": .account(.resourcePackExhausted),
        "pre_consume_token_quota_failed": .account(.resourcePackExhausted),
        "quota_not_enough": .account(.resourcePackExhausted),
        "access_denied": .account(.addressNotAllowed),
        "channel:no_available_key": .account(.authenticationFailed),
        "channel:invalid_key": .account(.authenticationFailed),
        "get_channel_failed": .unavailable,
        "model_not_found": .model,
        "read_request_body_failed": .request,
        "bad_request_body": .request,
        "convert_request_failed": .request,
        "invalid_request": .request,
        "sensitive_words_detected": .request,
        "prompt_blocked": .request,
    ]

    private static func filled(_ text: String?) -> String? { text.flatMap { $0.isEmpty ? nil : $0 } }
}
