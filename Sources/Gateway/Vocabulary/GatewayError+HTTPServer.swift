internal import HTTPServer

/// Errors for requests that the server refuses, and for bodies that it can't read.
extension GatewayError {
    init(_ rejection: HTTPRejection) {
        let cause: Cause =
            switch rejection.status {
            case 408: .tooSlow
            case 413: .bodyTooLarge
            case 414: .targetTooLong
            case 417: .expectationFailed
            case 431: .headTooLarge
            case 501: .notImplemented
            case 503: .draining
            case 505: .unsupportedVersion
            default: .malformedRequest
            }
        self.init(cause, rejection.message)
    }

    init(_ error: RequestBodyError) {
        let cause: Cause =
            switch error {
            case .tooLarge: .bodyTooLarge
            case .malformed, .clientGone: .malformedRequest
            case .timedOut: .tooSlow
            case .noBudget: .noMemory
            case .cancelled: .draining
            }
        self.init(cause, error.message + (cause == .bodyTooLarge ? " Send pictures as URLs, or smaller ones." : ""))
    }
}
