public import KlingAPI

/// Sends callbacks to the receivers that clients name. Every callback goes through it.
///
/// An implementation connects to no address that a client may not name, follows no redirect, uses no proxy, and shares
/// no connection with anything else.
public protocol CallbackSender: Sendable {
    /// Posts one message and returns the answer, whatever its status. The answer's body is discarded.
    ///
    /// It runs on the caller's event loop. Cancelling the task cancels the transfer.
    func send(_ message: CallbackMessage) async throws(CallbackFailure) -> CallbackReply

    /// Why a URL can never be called, judged without a DNS lookup; nil: it may be tried.
    func refusal(of url: String) -> AddressRefusal?
}

/// A callback as it is sent.
public struct CallbackMessage: Sendable {
    public let url: String
    public let headers: [(name: String, value: String)]
    public let body: [UInt8]
    /// The timeout of the whole exchange: DNS lookup, connection, request and answer.
    public let timeout: Duration

    /// Signs a message as Standard Webhooks specifies.
    /// - Parameters:
    ///   - signatures: one for each valid secret.
    ///   - time: the time of this attempt, in milliseconds since 1970.
    public init(
        id: String, url: String, body: [UInt8], signatures: [WebhookSignature], at time: Int64, userAgent: String,
        timeout: Duration
    ) {
        let seconds = Int(time / 1000)
        self.url = url
        self.body = body
        self.timeout = timeout
        headers = [
            (name: "Content-Type", value: "application/json"),
            (name: "User-Agent", value: userAgent),
            (name: "webhook-id", value: id),
            (name: "webhook-timestamp", value: String(seconds)),
            (
                name: "webhook-signature",
                value: signatures.map { $0.sign(id: id, timestamp: seconds, body: body) }.joined(separator: " ")
            ),
        ]
    }
}

/// How a receiver answered.
public struct CallbackReply: Sendable, Equatable {
    public var status: Int
    /// The value of `Retry-After`, unparsed.
    public var retryAfter: String?

    public init(status: Int, retryAfter: String? = nil) {
        self.status = status
        self.retryAfter = retryAfter
    }
}

/// Why a receiver did not answer.
public struct CallbackFailure: Error, Sendable, Equatable {
    /// A short text for the operator, never for a tenant: it may show what is reachable from the gateway.
    public let reason: String
    /// Whether the gateway cancelled the attempt, because it is stopping.
    public let isCancelled: Bool

    public init(_ reason: String, isCancelled: Bool = false) {
        self.reason = reason
        self.isCancelled = isCancelled
    }
}

/// Checks the `callback_url` of a create.
public enum CallbackAddress {
    /// Rejects a URL that can never be called. The addresses that a name resolves to are checked at every connection.
    public static func check(_ url: HTTPURL, _ sender: any CallbackSender) throws(GatewayError) {
        guard let refusal = sender.refusal(of: url.text) else { return }
        let parameter = "callback_url"
        throw GatewayError(.badParameter, "\(parameter) \(refusal.words)", parameter: parameter)
    }
}

extension AddressRefusal {
    /// What is wrong with the URL, to follow the member's name.
    fileprivate var words: String {
        switch self {
        case .malformed: "is not an absolute URL. Send one such as https://shop.example/kling."
        case .scheme: "must begin with http:// or https://."
        case .userInformation: "has a user name or password before the host. Send a URL without them."
        case .fragment: "has a fragment (#). Send the URL without it."
        case .address: "names an address that this gateway does not call. Use a public address."
        }
    }
}
