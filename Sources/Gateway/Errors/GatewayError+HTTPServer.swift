internal import HTTPServer

/// What the server refuses or cannot read, in the gateway's words.
extension GatewayError {
    init(_ rejection: HTTPRejection) {
        let cause: Cause =
            switch rejection.status {
            case 408: .tooSlow
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
        switch error {
        case .tooLarge(let limit):
            self.init(.bodyTooLarge, "The body is longer than \(limit) bytes. Send pictures as URLs, or smaller ones.")
        case .malformed: self.init(.malformedRequest, "The body's chunked coding is broken.")
        case .timedOut: self.init(.tooSlow, "The body came too slowly. Send it again over a faster connection.")
        case .noBudget:
            self.init(.noMemory, "The gateway holds as many uploads as it can. Send the request again later.")
        case .clientGone: self.init(.malformedRequest, "The body ended before its announced length.")
        case .cancelled: self.init(.draining, "The gateway is stopping. Send the request again.")
        }
    }
}
