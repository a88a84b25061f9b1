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

    private let credential: Credential
    private let configured: AccountTraits
    private let learned = Lock(AccountTraits())
    private let listed = Lock<MonotonicTime?>(nil)
    private let probed = Lock<MonotonicTime?>(nil)
    private let sought = Lock<MonotonicTime?>(nil)

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

    /// Whether it finds tasks by the gateway's own id, as configured or learned; `nil`: not known yet. Accounts with
    /// Kling's signed tokens do; resellers may not.
    var hasLookup: Bool? { configured.hasLookup ?? learnedTraits.hasLookup ?? (signsTokens ? true : nil) }

    /// Returns whether to probe for lookup support now: at most once a minute, until it is known.
    func takeLookupProbe(now: MonotonicTime) -> Bool {
        guard mustLearnLookup else { return false }
        return probed.withLock { probed in
            if let last = probed, now - last < Self.probeInterval { return false }
            probed = now
            return true
        }
    }

    private static let probeInterval = Duration.seconds(60)

    /// Returns whether to probe now, with free calls, which of Kling's APIs it speaks: at most once a minute.
    func takeAPIProbe(now: MonotonicTime) -> Bool {
        sought.withLock { sought in
            if let last = sought, now - last < Self.probeInterval { return false }
            sought = now
            return true
        }
    }

    /// Whether lookup support is neither configured nor learned yet.
    var mustLearnLookup: Bool { configured.hasLookup == nil && learnedTraits.hasLookup == nil }

    /// Whether it rejects a second create with the same `external_task_id`, so that a create whose answer was lost may
    /// be sent again. Configured or learned; otherwise assumed for Kling's own hosts and for accounts with Kling's
    /// signed tokens. That an account finds tasks by the id does not imply this.
    var hasUniqueIDs: Bool {
        configured.hasUniqueIDs ?? learnedTraits.hasUniqueIDs ?? (signsTokens || isAtKling)
    }

    /// Whether a create whose answer was lost may be sent again after the account has said that it doesn't know the
    /// task.
    var mayRepeat: Bool { hasLookup == true && hasUniqueIDs }

    /// Which of Kling's APIs the gateway uses for the account. Configured or learned; otherwise the API that Kling
    /// sells today on its own hosts, and the older one elsewhere. Kling's signed tokens work with the older API only.
    var dialect: KlingDialect {
        if signsTokens { return .kolors }
        return configured.dialect ?? learnedTraits.dialect ?? (isAtKling ? .solutions : .kolors)
    }

    /// The API to try when the account answers that it has no such route as in `dialect`; `nil` if its API is certain.
    func alternative(to dialect: KlingDialect) -> KlingDialect? {
        guard configured.dialect == nil, !signsTokens else { return nil }
        return dialect == .kolors ? .solutions : .kolors
    }

    private var isAtKling: Bool { BaseURL(baseURL)?.isKlingHost == true }

    /// What the account's answers have shown so far.
    var learnedTraits: AccountTraits { learned.withLock { $0 } }

    /// Records what the account's answers have shown. The configuration takes precedence.
    func learn(_ traits: AccountTraits) {
        learned.withLock { learned in
            learned.hasLookup = traits.hasLookup ?? learned.hasLookup
            learned.hasUniqueIDs = traits.hasUniqueIDs ?? learned.hasUniqueIDs
            learned.dialect = traits.dialect ?? learned.dialect
        }
    }

    private var signsTokens: Bool { if case .tokens = credential { true } else { false } }

    /// Returns whether the account's tasks may be listed now: at most once per `freshness`, across all callers.
    func mayList(now: MonotonicTime, freshness: Duration) -> Bool {
        listed.withLock { listed in
            if let last = listed, now - last < freshness { return false }
            listed = now
            return true
        }
    }

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

/// What an account's answers have shown about it; `nil`: not known.
public struct AccountTraits: Sendable, Hashable {
    /// Whether it finds tasks by the gateway's own id.
    public var hasLookup: Bool?
    /// Whether it rejects a second create with the same `external_task_id`.
    public var hasUniqueIDs: Bool?
    /// Which of Kling's APIs it speaks.
    public var dialect: KlingDialect?

    /// Creates traits. Those not given are unknown.
    public init(hasLookup: Bool? = nil, hasUniqueIDs: Bool? = nil, dialect: KlingDialect? = nil) {
        self.hasLookup = hasLookup
        self.hasUniqueIDs = hasUniqueIDs
        self.dialect = dialect
    }
}
