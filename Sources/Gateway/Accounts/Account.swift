public import Base
public import KlingAPI

/// An account at Kling, or at a reseller that speaks Kling's API: where it is and how the gateway uses it.
public final class Account: Sendable {
    /// How the gateway authenticates to the account.
    public enum Credential: Sendable {
        /// Tokens signed with an access key and a secret key.
        case tokens(TokenSigner)
        /// A key sent as it is.
        case apiKey(Secret)
    }

    /// The operator's name for it. Clients never see it.
    public let name: String
    /// `https://api-singapore.klingai.com`, or a reseller's `https://host/kling`; no slash at the end.
    public let baseURL: String
    /// The models that it may be sent; empty: all.
    public let models: Set<String>
    /// Its share of the work relative to other accounts.
    public let weight: Int
    /// How many tasks may run at once; `nil`: learned.
    public let concurrency: Int?
    /// The timeout of a create.
    public let timeout: Duration
    /// A file with the certificates to trust, in place of the system's.
    public let caFile: String?
    /// The proxy to use; `nil`: none.
    public let proxy: String?
    /// Whether the gateway converts pictures to the form that suits Kling best, rather than sending them as clients do.
    public let normalizesPictures: Bool

    /// Distinguishes this account from past and future accounts with the same name.
    let identity: AccountIdentity

    /// What it can do: as configured, learned or assumed.
    let capabilities: AccountCapabilities

    private let credential: Credential
    private let listThrottle = Throttle()

    /// Describes an account.
    /// - Parameters:
    ///   - hasLookup: whether it finds tasks by the gateway's own id; `nil`: learned.
    ///   - hasUniqueIDs: whether it rejects a second create with the same `external_task_id`; `nil`: learned or
    ///     assumed.
    ///   - dialect: which of Kling's APIs it speaks; `nil`: learned or assumed.
    public init(
        name: String, baseURL: String, credential: Credential, models: Set<String> = [], weight: Int = 1,
        concurrency: Int? = nil, hasLookup: Bool? = nil, hasUniqueIDs: Bool? = nil, dialect: KlingDialect? = nil,
        timeout: Duration = .seconds(30), caFile: String? = nil, proxy: String? = nil,
        normalizesPictures: Bool = false
    ) {
        self.name = name
        self.baseURL = baseURL
        self.credential = credential
        self.models = models
        self.weight = weight
        self.concurrency = concurrency
        capabilities = AccountCapabilities(
            AccountTraits(hasLookup: hasLookup, hasUniqueIDs: hasUniqueIDs, dialect: dialect), baseURL: baseURL,
            credential)
        identity = AccountIdentity(baseURL: baseURL, credential)
        self.timeout = timeout
        self.caFile = caFile
        self.proxy = proxy
        self.normalizesPictures = normalizesPictures
    }

    /// Whether tasks of `model` may be sent to the account.
    func serves(_ model: String) -> Bool { models.isEmpty || models.contains(model) }

    /// Returns whether the account's tasks may be listed now: at most once per `freshness`, across all callers.
    func mayList(now: MonotonicTime, freshness: Duration) -> Bool { listThrottle.take(every: freshness, now: now) }

    /// The bearer token of a request at `now`, in seconds since 1970.
    func token(now: Int) -> String {
        switch credential {
        case .tokens(let signer): signer.token(now: now)
        case .apiKey(let key): key.reveal()
        }
    }

    /// Makes the next request sign a new token; false if there is nothing to sign.
    func invalidate(_ token: String) -> Bool {
        guard case .tokens(let signer) = credential else { return false }
        signer.invalidate(token)
        return true
    }
}
