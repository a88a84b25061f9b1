/// Why there is no answer.
public struct HTTPClientError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The reason, from a closed list: fit for metric labels and decisions.
    public enum Code: String, Sendable, CaseIterable {
        /// The host's name (or the proxy's) has no address.
        case nameLookup
        /// No connection: refused, unreachable, or the proxy would not.
        case connect
        /// The TLS handshake failed, or the certificate is not to be trusted.
        case tls
        /// A limit of the request ran out: connect, whole, or stall. Whether in time to send is in ``wasSent``.
        case timeout
        /// The connection ended before the answer did: a reset, a close without an answer, or in the middle of one.
        case closed
        /// The connection died while or after a request with a body was written, and nothing of an answer came. The
        /// client does not send it again: whether the server acted on it is not known (libcurl's error 65).
        case sendInterrupted
        /// The answer's head or body is over its limit, or there were too many interim answers.
        case tooLarge
        /// What came is not HTTP.
        case malformed
        /// The address policy forbids every address of the host.
        case addressRefused
        /// The request cannot be sent as it is: the URL, the scheme, or a header field.
        case invalidRequest
        /// The task was cancelled.
        case cancelled
        /// The client was shut down.
        case shutDown
        /// Something else, a fault in the client or its set-up; see ``detail``.
        case other
    }

    /// The reason.
    public let code: Code
    /// `false` only if surely no byte of the request was written to a connection: the request may be made again.
    public let wasSent: Bool
    /// libcurl's words and the system's, for logs only: they may name hosts and addresses.
    public let detail: String

    /// Names a failure.
    public init(_ code: Code, wasSent: Bool, detail: String = "") {
        self.code = code
        self.wasSent = wasSent
        self.detail = detail
    }

    /// Nothing was sent, as libcurl has no memory for it.
    static let noMemory = HTTPClientError(.other, wasSent: false, detail: "libcurl has no memory")

    public var description: String {
        "\(code.rawValue) (\(wasSent ? "sent" : "not sent"))\(detail.isEmpty ? "" : ": \(detail)")"
    }
}
