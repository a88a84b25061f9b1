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

    /// Tells this account from another one that has had, or will have, the same name.
    let identity: AccountIdentity

    private let credential: Credential
    private let configured: AccountTraits
    private let learned = Lock(AccountTraits())
    private let listed = Lock<MonotonicTime?>(nil)
    private let probed = Lock<MonotonicTime?>(nil)
    private let sought = Lock<MonotonicTime?>(nil)

    /// Describes an account.
    /// - Parameters:
    ///   - hasLookup: whether it finds tasks by the gateway's own id; `nil`: to be found out.
    ///   - hasUniqueIDs: whether it refuses a second create of one `external_task_id`; `nil`: as far as is known.
    ///   - dialect: which of Kling's APIs it speaks; `nil`: to be found out.
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
        configured = AccountTraits(hasLookup: hasLookup, hasUniqueIDs: hasUniqueIDs, dialect: dialect)
        identity = AccountIdentity(baseURL: baseURL, credential)
        self.timeout = timeout
        self.caFile = caFile
        self.proxy = proxy
        self.normalizesPictures = normalizesPictures
    }

    /// Whether tasks of `model` may be sent to the account.
    func serves(_ model: String) -> Bool { models.isEmpty || models.contains(model) }

    // MARK: Traits

    /// Whether it finds tasks by the gateway's own id, as configured or found out; `nil`: not known yet. Kling itself,
    /// whose tokens are signed, does; resellers may not.
    var hasLookup: Bool? { configured.hasLookup ?? learnedTraits.hasLookup ?? (signsTokens ? true : nil) }

    /// Whether that is to be found out by asking now: where an answer said nothing, it is asked again after a minute.
    func takeLookupProbe(now: MonotonicTime) -> Bool {
        guard mustLearnLookup else { return false }
        return probed.withLock { probed in
            if let last = probed, now - last < Self.probeInterval { return false }
            probed = now
            return true
        }
    }

    private static let probeInterval = Duration.seconds(60)

    /// Whether it may be found out now, by free calls, which of Kling's APIs it speaks: at most once a minute.
    func takeAPIProbe(now: MonotonicTime) -> Bool {
        sought.withLock { sought in
            if let last = sought, now - last < Self.probeInterval { return false }
            sought = now
            return true
        }
    }

    /// Whether that is to be found out.
    var mustLearnLookup: Bool { configured.hasLookup == nil && learnedTraits.hasLookup == nil }

    /// Whether it refuses a second create of one `external_task_id`, so that one whose answer was lost may be sent again:
    /// as configured or found out; else presumed of Kling's own hosts and of accounts with Kling's own signed tokens. That
    /// it finds tasks by the id says nothing about this.
    var hasUniqueIDs: Bool {
        configured.hasUniqueIDs ?? learnedTraits.hasUniqueIDs ?? (signsTokens || isAtKling)
    }

    /// Whether a create whose answer was lost may be sent again, once the account says that it doesn't know it.
    var mayRepeat: Bool { hasLookup == true && hasUniqueIDs }

    /// Which of Kling's APIs it is spoken to by: as configured or found out; else the one that Kling sells today on its own
    /// hosts, and the older one elsewhere. Kling's signed tokens are of the older one alone.
    var dialect: KlingDialect {
        if signsTokens { return .kolors }
        return configured.dialect ?? learnedTraits.dialect ?? (isAtKling ? .solutions : .kolors)
    }

    /// The API to try where the account says that there is no such route as `dialect` has; `nil` if it can be but that one.
    func alternative(to dialect: KlingDialect) -> KlingDialect? {
        guard configured.dialect == nil, !signsTokens else { return nil }
        return dialect == .kolors ? .solutions : .kolors
    }

    private var isAtKling: Bool { BaseURL(baseURL)?.isKlings == true }

    /// What was found out.
    var learnedTraits: AccountTraits { learned.withLock { $0 } }

    /// Notes what was found out. What is configured stands above it.
    func learn(_ traits: AccountTraits) {
        learned.withLock { learned in
            learned.hasLookup = traits.hasLookup ?? learned.hasLookup
            learned.hasUniqueIDs = traits.hasUniqueIDs ?? learned.hasUniqueIDs
            learned.dialect = traits.dialect ?? learned.dialect
        }
    }

    private var signsTokens: Bool { if case .tokens = credential { true } else { false } }

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

/// What an account's answers have shown it to do; `nil`: not known.
public struct AccountTraits: Sendable, Hashable {
    /// Whether it finds tasks by the gateway's own id.
    public var hasLookup: Bool?
    /// Whether it refuses a second create of one `external_task_id`.
    public var hasUniqueIDs: Bool?
    /// Which of Kling's APIs it speaks.
    public var dialect: KlingDialect?

    /// Nothing is known but what is given.
    public init(hasLookup: Bool? = nil, hasUniqueIDs: Bool? = nil, dialect: KlingDialect? = nil) {
        self.hasLookup = hasLookup
        self.hasUniqueIDs = hasUniqueIDs
        self.dialect = dialect
    }
}
