/// Fetches pictures from URLs that clients or accounts have named; the gateway's only way to do so.
///
/// An implementation connects only to addresses that may be named, uses no proxy, and shares no connection with
/// anything else.
public protocol PictureSource: Sendable {
    /// Requests `picture` once and returns the answer, whatever its status. Redirects are answers.
    ///
    /// It runs on the caller's event loop. When the task is cancelled, so is the transfer.
    func fetch(_ picture: PictureFetch) async throws(PictureFetchFailure) -> PictureReply

    /// Why a URL can never be fetched, judged without a name lookup; nil if it may be tried.
    func refusal(of url: String) -> AddressRefusal?
}

/// One request for a picture.
public struct PictureFetch: Sendable {
    /// Who has named the URL.
    public enum Origin: Sendable, Hashable {
        /// A client. It may name addresses of the public internet, and those that the operator allows.
        case client
        /// An account that the operator has configured, which names its own host.
        /// - Parameter caFile: the authorities to trust in place of the system's.
        case account(caFile: String?)
    }

    public var url: String
    public var origin: Origin
    /// The maximum size of the answer, in bytes.
    public var limit: Int
    /// How long everything may take: name lookup, connection, request and answer.
    public var timeout: Duration
}

/// How a request for a picture was answered.
public struct PictureReply: Sendable {
    public var status: Int
    /// Where a redirect leads, as an absolute URL.
    public var location: String?
    public var body: [UInt8]

    public init(status: Int, location: String? = nil, body: [UInt8] = []) {
        self.status = status
        self.location = location
        self.body = body
    }
}

/// Why a request for a picture was not answered.
public struct PictureFetchFailure: Error, Sendable, Hashable {
    /// From a closed list, for clients and metrics.
    public enum Reason: String, Sendable, CaseIterable {
        /// The host's name was not found.
        case nameLookup
        /// There was no connection, or the certificate is not trusted.
        case unreachable
        /// The host has only addresses that may not be named.
        case address
        /// It took too long.
        case timeout
        /// The answer is larger than the limit.
        case tooLarge
        /// The connection broke, or the answer is not HTTP.
        case broken
        /// The gateway is shutting down.
        case cancelled
    }

    public let reason: Reason
    /// A few words for the operator, never for a tenant: they may reveal what is reachable from here.
    public let detail: String

    public init(_ reason: Reason, detail: String = "") {
        self.reason = reason
        self.detail = detail
    }
}

/// A source that fetches nothing.
struct NoPictures: PictureSource {
    func fetch(_ picture: PictureFetch) async throws(PictureFetchFailure) -> PictureReply {
        throw PictureFetchFailure(.address)
    }

    func refusal(of url: String) -> AddressRefusal? { .address }
}
