/// Why there is no answer.
public struct HTTPClientError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The reason, from a closed list that suits metric labels and decisions.
    public enum Code: String, Sendable, CaseIterable {
        /// The name of the host (or of the proxy) has no address.
        case nameLookup
        /// No connection could be made: refused, unreachable, or rejected by the proxy.
        case connect
        /// The TLS handshake failed, or the certificate is not trusted.
        case tls
        /// A timeout of the request expired: connect, total, or stall. ``wasSent`` says whether the request was sent by
        /// then.
        case timeout
        /// The connection ended before the answer did: a reset, a close without an answer, or in the middle of one.
        case closed
        /// The connection broke while or after a request with a body was written, and nothing of an answer arrived. The
        /// client does not send it again: it is unknown whether the server acted on it.
        case sendInterrupted
        /// The answer's head or body is over its limit, or there were too many interim answers.
        case tooLarge
        /// The answer is not valid HTTP.
        case malformed
        /// The address policy forbids every address of the host.
        case addressRefused
        /// The request cannot be sent as it is because of its URL, its scheme, or a header field.
        case invalidRequest
        /// The task was cancelled.
        case cancelled
        /// The client was shut down.
        case shutDown
        /// Anything else, such as a fault in the client or its setup; see ``detail``.
        case other
    }

    /// The reason.
    public let code: Code
    /// `false` only if it is certain that no byte of the request was written to a connection: it is safe to retry.
    public let wasSent: Bool
    /// The messages of this client, libcurl, OpenSSL and the system, for logs only: they may name hosts and addresses.
    public let detail: String

    /// Makes an error.
    public init(_ code: Code, wasSent: Bool, detail: String = "") {
        self.code = code
        self.wasSent = wasSent
        self.detail = detail
    }

    /// Nothing was sent, because libcurl ran out of memory.
    static let noMemory = HTTPClientError(.other, wasSent: false, detail: "libcurl ran out of memory")

    public var description: String {
        "\(code.rawValue) (\(wasSent ? "sent" : "not sent"))\(detail.isEmpty ? "" : ": \(detail)")"
    }
}
