public import Base
public import KlingAPI

/// An account at Kling, or at a reseller that speaks Kling's API: where it is and how it is asked.
public final class Account: Sendable {
    /// How the gateway shows that it may use the account.
    public enum Credential: Sendable {
        /// Tokens signed with an access key and a secret key.
        case tokens(TokenSigner)
        /// A key sent as it is.
        case apiKey(Secret)
    }

    /// What the operator calls it. Clients never see it.
    public let name: String
    /// `https://api-singapore.klingai.com`, or a reseller's `https://host/kling`; no slash at the end.
    public let baseURL: String
    /// The models it may be asked for; empty: all.
    public let models: Set<String>
    /// Its share of the work beside others'.
    public let weight: Int
    /// Creates that may run at once; `nil`: learned.
    public let concurrency: Int?
    /// How long Kling has for an answer.
    public let timeout: Duration
    /// A file with the certificates to trust, in place of the system's.
    public let caFile: String?
    /// The proxy to go through; none unless one is configured.
    public let proxy: String?
    /// Whether it is sent pictures in the form that suits Kling best, rather than as clients send them.
    public let normalizesPictures: Bool

    private let credential: Credential
    private let configuredLookup: Bool?
    private let foundLookup = Lock<Bool?>(nil)
    private let listed = Lock<MonotonicTime?>(nil)

    /// Describes an account.
    /// - Parameter hasLookup: whether it finds tasks by the gateway's own id; `nil`: to be found out.
    public init(
        name: String, baseURL: String, credential: Credential, models: Set<String> = [], weight: Int = 1,
        concurrency: Int? = nil, hasLookup: Bool? = nil, timeout: Duration = .seconds(30), caFile: String? = nil,
        proxy: String? = nil, normalizesPictures: Bool = false
    ) {
        self.name = name
        self.baseURL = baseURL
        self.credential = credential
        self.models = models
        self.weight = weight
        self.concurrency = concurrency
        configuredLookup = hasLookup
        self.timeout = timeout
        self.caFile = caFile
        self.proxy = proxy
        self.normalizesPictures = normalizesPictures
    }

    /// Whether tasks of `model` may be sent to the account.
    func serves(_ model: String) -> Bool { models.isEmpty || models.contains(model) }

    /// Whether it finds tasks by the gateway's own id, as configured or found out; `nil`: not known yet. Kling itself,
    /// whose tokens are signed, does; resellers may not.
    var hasLookup: Bool? { configuredLookup ?? learnedLookup ?? presumedLookup }

    /// Whether that is to be found out.
    var mustLearnLookup: Bool { configuredLookup == nil && learnedLookup == nil }

    private var presumedLookup: Bool? {
        if case .tokens = credential { true } else { nil }
    }

    /// Whether it finds tasks by the gateway's own id, as was found out.
    var learnedLookup: Bool? { foundLookup.withLock { $0 } }

    /// Notes whether it finds tasks by the gateway's own id. What is configured stands above it.
    func learn(hasLookup: Bool?) { foundLookup.withLock { $0 = hasLookup } }

    /// Whether the account's tasks may be listed now: at most once in `freshness`, whoever asks.
    func mayList(now: MonotonicTime, freshness: Duration) -> Bool {
        listed.withLock { listed in
            if let last = listed, now - last < freshness { return false }
            listed = now
            return true
        }
    }

    /// What follows `Bearer ` in a request at `now`, in seconds since 1970.
    func token(now: Int) -> String {
        switch credential {
        case .tokens(let signer): signer.token(now: now)
        case .apiKey(let key): key.reveal()
        }
    }

    /// Has the next request signed anew; false if there is nothing to sign.
    func invalidate(_ token: String) -> Bool {
        guard case .tokens(let signer) = credential else { return false }
        signer.invalidate(token)
        return true
    }
}
