public import KlingAPI

/// How the gateway reaches receivers that clients have named; the one door through which callbacks leave.
///
/// Behind it no address is connected to that a client may not name, no redirect is followed, no proxy is used, and no
/// connection is shared with anything else.
public protocol CallbackSender: Sendable {
    /// Posts one message and returns how it was answered, whatever the status. The answer's body is thrown away.
    ///
    /// It runs on the caller's event loop. When the task is cancelled, so is the transfer.
    func send(_ message: CallbackMessage) async throws(CallbackFailure) -> CallbackReply

    /// Why a URL can never be sent to, as far as that shows without looking a name up; nil: it is tried.
    func refusal(of url: String) -> AddressRefusal?
}

/// A callback as it goes out.
public struct CallbackMessage: Sendable {
    public let url: String
    public let headers: [(name: String, value: String)]
    public let body: [UInt8]
    /// How long everything may take: look-up, connection, request and answer.
    public let timeout: Duration

    /// Signs a message as Standard Webhooks say.
    /// - Parameters:
    ///   - signatures: one for each secret that is valid.
    ///   - time: of this attempt, in milliseconds since 1970.
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
    /// The value of `Retry-After`, as it came.
    public var retryAfter: String?

    public init(status: Int, retryAfter: String? = nil) {
        self.status = status
        self.retryAfter = retryAfter
    }
}

/// Why a receiver did not answer.
public struct CallbackFailure: Error, Sendable, Equatable {
    /// A few words for the operator, never for a tenant: they may tell what is reachable from here.
    public let reason: String
    /// Whether it was the gateway that gave up, because it stops.
    public let isCancelled: Bool

    public init(_ reason: String, isCancelled: Bool = false) {
        self.reason = reason
        self.isCancelled = isCancelled
    }
}

/// The check of a `callback_url` at create.
public enum CallbackAddress {
    /// Refuses a URL that could never be called. What a name resolves to is judged at every connection.
    public static func check(_ url: HTTPURL, _ sender: any CallbackSender) throws(GatewayError) {
        guard let refusal = sender.refusal(of: url.text) else { return }
        let parameter = "callback_url"
        throw GatewayError(.badParameter, "\(parameter) \(refusal.words)", parameter: parameter)
    }
}

extension AddressRefusal {
    /// What is wrong, to stand behind the member's name.
    fileprivate var words: String {
        switch self {
        case .malformed: "is not an absolute URL. Send one such as https://shop.example/kling."
        case .scheme: "must begin with http:// or https://."
        case .userInformation: "has a user name or password before the host. Send a URL without them."
        case .fragment: "has a fragment (#). Send the URL without it."
        case .address: "names an address that this gateway does not call. Send one of the public internet."
        }
    }
}
