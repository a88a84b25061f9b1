internal import HTTPServer
internal import KlingAPI
internal import TaskStore

/// Turns an error into a response, in the shape that the route's clients read.
enum ErrorAnswer {
    /// The response for `error`.
    static func response(to error: GatewayError, shape: Shape, requestID: String) -> HTTPResponse {
        let row = error.cause.row
        let status = error.refusal?.status ?? row.status
        var headers = Answer.headers(requestID: requestID)
        if status == 429 || status == 503 {
            headers.append(
                (name: "Retry-After", value: String(min(60, max(1, error.retryAfter ?? row.retryAfter ?? 5)))))
        }
        if row.isFinal { headers.append((name: "x-should-retry", value: "false")) }
        headers.append(contentsOf: error.headers)
        return HTTPResponse(status: status, headers: headers, body: .bytes(body(error, shape, requestID)))
    }

    /// The answer for `error`, to store for clients that repeat the request.
    static func stored(_ error: GatewayError, shape: Shape, requestID: String) -> StoredAnswer {
        StoredAnswer(status: error.refusal?.status ?? error.cause.row.status, body: body(error, shape, requestID))
    }

    private static func body(_ error: GatewayError, _ shape: Shape, _ requestID: String) -> [UInt8] {
        let row = error.cause.row
        switch shape {
        case .kling, .solutions:
            return Envelope.failure(
                error.refusal?.code ?? row.code, message: error.message,
                requestID: error.refusal?.requestID ?? requestID,
                error: object(error, error.refusal.map { String($0.code.rawValue) } ?? row.word))
        case .openAI:
            return JSONWriter.object { answer in
                let word = error.refusal?.word ?? row.word
                answer.object("error") { object(error, word).write(to: &$0) }
            }
        case .useapi:
            return JSONWriter.object { answer in
                answer.member("error", useapiMessage(error))
                answer.member("code", error.refusal?.status ?? row.status)
            }
        }
    }

    /// The message in useapi.net's shape. Its documentation shows the whole answer to a wrong key, so clients may
    /// compare it.
    private static func useapiMessage(_ error: GatewayError) -> String {
        switch error.cause {
        case .missingCredentials, .invalidCredentials: "Unauthorized"
        default: error.message
        }
    }

    /// The error object that OpenAI-style clients read.
    private static func object(_ error: GatewayError, _ word: String) -> Envelope.ErrorObject {
        Envelope.ErrorObject(
            message: error.message, type: error.cause.row.type, param: error.parameter, code: word,
            taskID: error.taskID)
    }
}

extension GatewayError.Refusal {
    /// The word that OpenAI's clients know for Kling's code, or else the code.
    fileprivate var word: String {
        switch code {
        case .platformPolicy, .contentPolicy: Cause.contentPolicy.row.word
        default: String(code.rawValue)
        }
    }
}

/// The parts that the gateway's answers have in common.
enum Answer {
    static func headers(requestID: String) -> [(name: String, value: String)] {
        [
            (name: "Content-Type", value: "application/json; charset=utf-8"),
            (name: "Cache-Control", value: "no-store"),
            (name: "X-Request-Id", value: requestID),
        ]
    }

    /// Repeats a stored answer.
    static func repeated(_ answer: StoredAnswer, requestID: String) -> HTTPResponse {
        var response = success(answer.body, requestID: requestID)
        response.status = answer.status
        response.headers.append(replayed)
        return response
    }

    /// The header field of a repeated answer.
    static let replayed = (name: "Idempotent-Replayed", value: "true")

    /// A 200 with `body`.
    static func success(_ body: [UInt8], requestID: String) -> HTTPResponse {
        HTTPResponse(status: 200, headers: headers(requestID: requestID), body: .bytes(body))
    }
}
