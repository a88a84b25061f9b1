internal import Base
internal import KlingAPI
public import TaskStore

/// Authenticates clients by their keys: those of the configuration and those of the store.
///
/// A known key costs a hash and a table lookup. An unknown key triggers a refresh from the store, at most one per
/// ``Policy/refreshInterval`` in total, so that a new key works at once and guessing keys doesn't load the database.
/// Any thread may call any function.
public final class Access: Sendable {
    /// The limits on how stale an answer may be.
    public struct Policy: Sendable {
        /// The minimum time between the starts of two refreshes.
        public var refreshInterval = Duration.milliseconds(20)
        /// How long keys of the store are trusted after the last successful refresh. While the store can't be read, a
        /// revocation takes that long to be noticed.
        public var trust = Duration.seconds(300)

        /// Creates the default policy.
        public init() {}
    }

    /// The clocks. Tests pass their own.
    public struct Clock: Sendable {
        var monotonic: @Sendable () -> MonotonicTime = { .now }
        /// The wall clock, in milliseconds since 1970: for tokens that clients sign by their own clocks.
        var wall: @Sendable () -> Int64
        /// The same, but never earlier than the believed time: an expired key must not become valid again when the
        /// clock is set back.
        var now: @Sendable () -> Int64
        /// The believed time: a key that has expired by then never becomes valid again.
        var believed: @Sendable () -> Int64
        /// Waits, even if the caller is cancelled: otherwise refreshes would come too often.
        var sleep: @Sendable (Duration) async -> Void = { duration in
            // An unstructured task isn't cancelled with the one that waits for it. It need not run on a loop, because
            // the refresh that follows reads the store, which doesn't either.
            await Task { try? await Task.sleep(for: duration) }.value
        }

        /// Creates clocks from the gateway's clock.
        public init(_ clock: GuardedClock = GuardedClock()) {
            wall = { clock.wall }
            now = { clock.now }
            believed = { clock.believed }
        }
    }

    struct State {
        var table: KeyTableSnapshot
        var version = Int64.min
        /// When the last successful refresh began.
        var seenAt: MonotonicTime?
        var schedule: RefreshSchedule<CheckedContinuation<Turn, Never>>
    }

    let policy: Policy
    let clock: Clock
    let keys: any KeyStore
    let vault: Vault
    let state: Lock<State>
    /// Called when there are new limits of running tasks.
    let onLimits = Lock<(@Sendable () async -> Void)?>(nil)

    /// Knows `staticKeys` at once, and those in `keys` after ``load()``.
    public init(
        staticKeys: [StaticKey], keys: any KeyStore, vault: Vault, policy: Policy = Policy(), clock: Clock = Clock()
    ) {
        self.policy = policy
        self.clock = clock
        self.keys = keys
        self.vault = vault
        state = Lock(
            State(
                table: KeyTableSnapshot(KeyTable(staticKeys)),
                schedule: RefreshSchedule(interval: policy.refreshInterval)))
    }

    // MARK: Authentication

    /// Authenticates a request.
    /// - Parameter authorization: the values of its `Authorization` fields, without surrounding spaces.
    func authenticate(authorization: [String]) async throws(AccessRefusal) -> Principal {
        guard let value = authorization.first else { throw .missing }
        guard authorization.count == 1 else { throw .malformed }
        let bytes = Array(value.utf8)
        switch check(bytes.span) {
        case .known(let principal): return principal
        case .refused(let refusal): throw refusal
        case .undecided(let range): return try await decide(Array(bytes[range]))
        }
    }

    /// Authenticates a request that has no `Authorization` field.
    /// - Parameter apiKey: the values of its `X-API-Key` fields, without surrounding spaces: a key or token alone.
    func authenticate(apiKey: [String]) async throws(AccessRefusal) -> Principal {
        guard let value = apiKey.first, apiKey.count > 1 || !value.isEmpty else { throw .missing }
        let bytes = Array(value.utf8)
        guard apiKey.count == 1, BearerCredential.isKey(bytes.span) else { throw .malformedAPIKey }
        return try await decide(bytes)
    }

    /// What can be decided about a field's value at once.
    enum Verdict {
        case known(Principal)
        case refused(AccessRefusal)
        /// The key or token in this range is unknown or no longer trusted: ``authenticate(authorization:)`` decides.
        case undecided(Range<Int>)
    }

    /// Judges the value of the only `Authorization` field without the store: the fast path.
    func check(_ value: Span<UInt8>) -> Verdict {
        let range: Range<Int>
        switch BearerCredential(value) {
        case .missing: return .refused(.missing)
        case .malformed: return .refused(.malformed)
        case .schemeMissing: return .refused(.schemeMissing)
        case .present(let found): range = found
        }
        switch judge(Digest(of: value.extracting(range))) {
        case .known(let principal): return .known(principal)
        case .refused(let refusal): return .refused(refusal)
        case nil: return .undecided(range)
        }
    }

    private func decide(_ credential: [UInt8]) async throws(AccessRefusal) -> Principal {
        let text = String(decoding: credential, as: UTF8.self)
        if ClientToken.looksLikeToken(text) { return try await decide(token: text) }
        let hasLooked = await sharedRefresh()
        if let judgment = judge(Digest(of: credential.span)) { return try judgment.principal }
        if current().0.keys.issuer(text) != nil { throw .accessKey }
        throw hasLooked ? .unknown : .unavailable
    }

    /// What is known about a key at once.
    private enum Judgment {
        case known(Principal)
        case refused(AccessRefusal)

        var principal: Principal {
            get throws(AccessRefusal) {
                switch self {
                case .known(let principal): return principal
                case .refused(let refusal): throw refusal
                }
            }
        }
    }

    /// The owner of a key, if it is already known.
    func known(_ key: Span<UInt8>) -> Principal? {
        if case .known(let principal) = judge(Digest(of: key)) { principal } else { nil }
    }

    /// Judges a key; nil if it is unknown or no longer trusted.
    private func judge(_ digest: Digest) -> Judgment? {
        let (table, seenAt) = current()
        guard let entry = table.keys[digest], isTrusted(entry, seenAt) else { return nil }
        return judge(entry)
    }

    /// A key that has ended is looked up once more: its end may have been moved.
    private func judge(_ entry: KeyTable.Entry) -> Judgment? {
        guard let refusal = entry.refusal(at: clock.now()) else {
            entry.use.note(clock.now())
            return .known(entry.principal)
        }
        return refusal == .unknown ? nil : .refused(refusal)
    }

    // MARK: Tokens that clients sign

    private func decide(token text: String) async throws(AccessRefusal) -> Principal {
        do {
            let token = try ClientToken(text)
            if let judgment = try verify(token) { return try judgment.principal }
            let hasLooked = await sharedRefresh()
            if let judgment = try verify(token) { return try judgment.principal }
            throw hasLooked ? AccessRefusal.unknown : .unavailable
        } catch let fault as TokenFault {
            throw AccessRefusal.token(fault)
        } catch let refusal as AccessRefusal {
            throw refusal
        } catch {
            // The vault can't open the secret key. That is the operator's problem: the client's token may be valid.
            throw .unavailable
        }
    }

    /// Verifies a token and judges its key; nil if its issuer is unknown or no longer trusted.
    private func verify(_ token: ClientToken) throws -> Judgment? {
        let (table, seenAt) = current()
        guard let issuer = table.keys.issuer(token.issuer), isTrusted(issuer.entry, seenAt),
            let judgment = judge(issuer.entry)
        else { return nil }
        let secretKey = try vault.open(issuer.sealedSecretKey, .secretKey, of: issuer.entry.principal.keyID)
        try token.verify(secretKey: secretKey, now: Int(clock.wall() / 1000))
        return judgment
    }

    // MARK: The table

    private func current() -> (KeyTableSnapshot, MonotonicTime?) { state.withLock { ($0.table, $0.seenAt) } }

    private func isTrusted(_ entry: KeyTable.Entry, _ seenAt: MonotonicTime?) -> Bool {
        guard entry.isStored else { return true }
        guard let seenAt else { return false }
        return clock.monotonic() - seenAt <= policy.trust
    }

    /// What holds for all keys of a tenant, as far as is known.
    func policy(of tenant: String) -> TenantPolicy { current().0.keys.policy(of: tenant) }

    /// The keys and tenants that have a limit of running tasks, as far as is known.
    var runningLimits: RunningLimits { current().0.keys.runningLimits }

    /// Has `act` called whenever a key or a tenant gets a limit of running tasks. The refresh that has found it waits for
    /// the call.
    func whenLimited(_ act: @escaping @Sendable () async -> Void) { onLimits.withLock { $0 = act } }

    /// Saves when keys were used since this was last called. Called now and then.
    public func saveUses() async throws(StoreError) { try await keys.noteUses(current().0.keys.takeUses()) }
}
