internal import Base
internal import KlingAPI

/// What an account can do, and which of Kling's APIs it speaks: as configured, as learned from its answers, or as
/// assumed. Any thread may call any function.
final class AccountCapabilities: Sendable {
    private let configured: AccountTraits
    private let learned = Lock(AccountTraits())
    private let signsTokens: Bool
    private let isAtKling: Bool
    private let lookupThrottle = Throttle()
    private let apiThrottle = Throttle()

    private static let probeInterval = Duration.seconds(60)

    init(_ configured: AccountTraits, baseURL: String, _ credential: Account.Credential) {
        self.configured = configured
        signsTokens = if case .tokens = credential { true } else { false }
        isAtKling = BaseURL(baseURL)?.isKlingHost == true
    }

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

    // MARK: Look-ups and repeated creates

    /// Whether the account finds tasks by the gateway's own id, as configured or learned; `nil` if unknown.
    /// Accounts with Kling's signed tokens do; resellers may not.
    var hasLookup: Bool? { configured.hasLookup ?? learnedTraits.hasLookup ?? (signsTokens ? true : nil) }

    /// Whether lookup support is neither configured nor learned yet.
    var mustLearnLookup: Bool { configured.hasLookup == nil && learnedTraits.hasLookup == nil }

    /// Returns whether to probe for lookup support now: at most once a minute, until it is known.
    func takeLookupProbe(now: MonotonicTime) -> Bool {
        mustLearnLookup && lookupThrottle.take(every: Self.probeInterval, now: now)
    }

    /// Whether the account rejects a second create with the same `external_task_id`, so that a create whose answer was
    /// lost may be sent again. Configured or learned; otherwise assumed for Kling's own hosts and for accounts with
    /// Kling's signed tokens. An account that finds tasks by the id does not necessarily do this.
    var hasUniqueIDs: Bool {
        configured.hasUniqueIDs ?? learnedTraits.hasUniqueIDs ?? (signsTokens || isAtKling)
    }

    /// Whether a create whose answer was lost may be sent again after the account has said that it doesn't know the
    /// task.
    var mayRepeat: Bool { hasLookup == true && hasUniqueIDs }

    // MARK: API

    /// Which of Kling's APIs the gateway uses for the account. Configured or learned; otherwise the API that Kling
    /// sells today on its own hosts, and the older one elsewhere. Kling's signed tokens work with the older API only.
    var dialect: KlingDialect {
        if signsTokens { return .kolors }
        return configured.dialect ?? learnedTraits.dialect ?? (isAtKling ? .solutions : .kolors)
    }

    /// The API to try when the account answers that it has no route of `dialect`; `nil` if its API is certain.
    func alternative(to dialect: KlingDialect) -> KlingDialect? {
        configured.dialect == nil ? otherAPI(than: dialect) : nil
    }

    /// The other API that the account's key could work with, whatever is configured; `nil` if there is none.
    func otherAPI(than dialect: KlingDialect) -> KlingDialect? {
        signsTokens ? nil : dialect == .kolors ? .solutions : .kolors
    }

    /// Returns whether to probe now, with free calls, which of Kling's APIs the account speaks: at most once a minute.
    func takeAPIProbe(now: MonotonicTime) -> Bool { apiThrottle.take(every: Self.probeInterval, now: now) }
}

/// What is configured for an account, or what its answers have shown; `nil` if unknown.
struct AccountTraits: Sendable, Hashable {
    /// Whether the account finds tasks by the gateway's own id.
    var hasLookup: Bool?
    /// Whether the account rejects a second create with the same `external_task_id`.
    var hasUniqueIDs: Bool?
    /// Which of Kling's APIs the account speaks.
    var dialect: KlingDialect?
}
