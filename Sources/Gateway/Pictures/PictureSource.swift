/// How the gateway fetches pictures by addresses that others have named; the one door through which it does.
///
/// Behind it no address is connected to that may not be named, no proxy is used, and no connection is shared with
/// anything else.
public protocol PictureSource: Sendable {
    /// Asks for `picture` once and returns how that was answered, whatever the status. Redirects are answers.
    ///
    /// It runs on the caller's event loop. When the task is cancelled, so is the transfer.
    func fetch(_ picture: PictureFetch) async throws(PictureFetchFailure) -> PictureReply

    /// Why a URL can never be fetched, as far as that shows without looking a name up; nil: it is tried.
    func refusal(of url: String) -> AddressRefusal?
}

/// One request for a picture.
public struct PictureFetch: Sendable {
    /// Who has named the address.
    public enum Origin: Sendable, Hashable {
        /// A client: addresses of the public internet, and what the operator allows.
        case client
        /// An account that the operator has configured, which names its own host.
        /// - Parameter caFile: the authorities to trust in place of the system's.
        case account(caFile: String?)
    }

    public var url: String
    public var origin: Origin
    /// The most bytes of the answer.
    public var limit: Int
    /// How long everything may take: look-up, connection, request and answer.
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
        /// Its name was not found.
        case nameLookup
        /// No connection, or no trust in the certificate.
        case unreachable
        /// Only addresses that may not be named.
        case address
        /// Not in time.
        case timeout
        /// Over the limit.
        case tooLarge
        /// It broke off, or is not HTTP.
        case broken
        /// The gateway stops.
        case cancelled
    }

    public let reason: Reason
    /// A few words for the operator, never for a tenant: they may tell what is reachable from here.
    public let detail: String

    public init(_ reason: Reason, detail: String = "") {
        self.reason = reason
        self.detail = detail
    }
}

/// Where nothing is fetched.
struct NoPictures: PictureSource {
    func fetch(_ picture: PictureFetch) async throws(PictureFetchFailure) -> PictureReply {
        throw PictureFetchFailure(.address)
    }

    func refusal(of url: String) -> AddressRefusal? { .address }
}
