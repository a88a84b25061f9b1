internal import Base
internal import EventLoop
internal import HTTPServer
internal import KlingAPI

/// A file in memory, and its share of the budget: both are released together.
struct HeldFile: Sendable {
    let file: ByteSlice
    /// Nil for a file that is counted elsewhere: a part of a body.
    let lease: ByteBudget.Lease?

    /// Returns its share of the budget, perhaps a moment before a worker releases its bytes.
    func returnBudget() { lease?.shrink(to: 0) }
}

/// Why a picture was not fetched.
enum FetchProblem: Error, Sendable {
    /// The address can never be fetched.
    case refused(AddressRefusal)
    /// A redirect led to such an address.
    case redirectRefused
    case redirects
    case status(Int)
    case failure(PictureFetchFailure.Reason)
    /// The gateway already holds, or fetches, as much as it may.
    case noRoom(RequestBodyError)

    /// What is wrong, as a text to follow the field's name.
    var words: String {
        switch self {
        case .refused(let refusal): refusal.pictureWords
        case .redirectRefused: "could not be fetched: it redirects to an address that this gateway does not call."
        case .redirects: "could not be fetched: it redirects more than \(PictureFetcher.maxRedirects) times."
        case .status(let status): "could not be fetched: its server answered \(status). \(Self.advice)"
        case .failure(let reason): "could not be fetched: \(reason.words). \(Self.advice)"
        case .noRoom: "could not be fetched now. Send the request again later."
        }
    }

    private static let advice = "Check the URL, or send the picture itself."
}

/// Fetches pictures through a ``PictureSource``: a few at once, of bounded size, and with every redirect checked again.
final class PictureFetcher: Sendable {
    /// URLs of shops often redirect to their content delivery networks.
    static let maxRedirects = 3
    /// How long a picture may take, including redirects.
    private static let timeout = Duration.seconds(15)
    /// How long it may wait for memory, and then for its turn.
    private static let patience = Duration.seconds(10)

    private let source: any PictureSource
    private let budget: ByteBudget
    private let observer: any GatewayObserver
    /// How many pictures may be fetched at once, since each may begin with a name lookup: 32, and 4 per tenant.
    private let turns = ByteBudget(capacity: 32, share: 4)
    /// The accounts' own hosts, which they name in their answers.
    private let hosts: [AccountHost: String?]

    /// The host and port of an account.
    private struct AccountHost: Hashable {
        let host: String
        let port: Int

        init?(_ url: String) {
            guard let url = try? HTTPURL(url) else { return nil }
            (host, port) = (url.host, url.port)
        }
    }

    init(source: any PictureSource, budget: ByteBudget, observer: any GatewayObserver, accounts: [Account]) {
        self.source = source
        self.budget = budget
        self.observer = observer
        let known = accounts.compactMap { account in AccountHost(account.baseURL).map { ($0, account.caFile) } }
        hosts = Dictionary(known) { first, _ in first }
    }

    /// Reserves `count` bytes of the budget for a file of `tenant`.
    func reserve(_ count: Int, tenant: String) async throws(FetchProblem) -> ByteBudget.Lease {
        do {
            return try await budget.reserveAdditional(count, owner: tenant, patience: Self.patience)
        } catch {
            throw .noRoom(error)
        }
    }

    /// Fetches a URL that a client has named.
    func fetch(_ url: String, limit: Int, tenant: String) async throws(FetchProblem) -> HeldFile {
        try await fetch(url, limit: limit, tenant: tenant) { _ in .client }
    }

    /// Fetches a URL that an account has named, which may be at its own host, wherever that is.
    func fetchResult(
        _ url: String, limit: Int, tenant: String
    ) async throws(FetchProblem) -> HeldFile {
        try await fetch(url, limit: limit, tenant: tenant) { [hosts] url in
            AccountHost(url).flatMap { hosts[$0] }.map { .account(caFile: $0) } ?? .client
        }
    }

    private func fetch(
        _ url: String, limit: Int, tenant: String,
        origin: @Sendable (_ url: String) -> PictureFetch.Origin
    ) async throws(FetchProblem) -> HeldFile {
        let lease = try await reserve(limit, tenant: tenant)
        let turn: ByteBudget.Lease
        do {
            turn = try await turns.reserve(1, owner: tenant, patience: Self.patience)
        } catch {
            throw .noRoom(error)
        }
        defer { turn.shrink(to: 0) }
        let body = try await follow(url, limit, until: .now + Self.timeout, origin)
        lease.shrink(to: body.count)
        return HeldFile(file: ByteSlice(Bytes(body), 0..<body.count), lease: lease)
    }

    private func follow(
        _ url: String, _ limit: Int, until deadline: MonotonicTime,
        _ origin: @Sendable (_ url: String) -> PictureFetch.Origin
    ) async throws(FetchProblem) -> [UInt8] {
        var url = url
        for hop in 0...Self.maxRedirects {
            let origin = origin(url)
            if origin == .client, let refusal = source.refusal(of: url) {
                throw hop == 0 ? .refused(refusal) : .redirectRefused
            }
            let left = deadline - .now
            guard left > .zero else { throw .failure(.timeout) }
            let reply = try await ask(PictureFetch(url: url, origin: origin, limit: limit, timeout: left))
            switch (reply.status, reply.location) {
            case (200..<300, _): return reply.body
            case (301, let next?), (302, let next?), (303, let next?), (307, let next?), (308, let next?): url = next
            default: throw .status(reply.status)
            }
        }
        throw .redirects
    }

    private func ask(_ fetch: PictureFetch) async throws(FetchProblem) -> PictureReply {
        do {
            return try await source.fetch(fetch)
        } catch {
            observer.event(
                .debug, "a picture could not be fetched", [("reason", error.reason.rawValue), ("detail", error.detail)])
            throw .failure(error.reason)
        }
    }
}

extension AddressRefusal {
    /// What is wrong with a picture's URL, as a text to follow the field's name.
    fileprivate var pictureWords: String {
        switch self {
        case .malformed: "is not an absolute URL. Send one such as https://shop.example/shirt.jpg."
        case .scheme: "must begin with http:// or https://."
        case .userInformation: "has a user name or password before the host. Send a URL without them."
        case .fragment: "has a fragment (#). Send the URL without it."
        case .address: "names an address that this gateway does not fetch from. Send one of the public internet."
        }
    }
}

extension PictureFetchFailure.Reason {
    fileprivate var words: String {
        switch self {
        case .nameLookup: "its host has no address"
        case .unreachable: "no connection to its host could be made"
        case .address: "its host has only addresses that this gateway does not call"
        case .timeout: "its server was too slow"
        case .tooLarge: "it is larger than a picture may be"
        case .broken: "the connection broke off, or its server does not speak HTTP"
        case .cancelled: "the gateway is stopping"
        }
    }
}
