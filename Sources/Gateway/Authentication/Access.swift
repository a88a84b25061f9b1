internal import Base
internal import KlingAPI
public import TaskStore

/// Knows clients by their keys: those of the configuration and those of the store.
///
/// A known key costs a hash and a look into a table. One that isn't known has the store's version looked at, at most
/// once per ``Policy/lookInterval`` in all, so that a new key works at once and a guesser doesn't reach the database.
/// Any thread may call any function.
public final class Access: Sendable {
    /// The times that bound how old an answer may be.
    public struct Policy: Sendable {
        /// The least time between two looks at the store's version.
        public var lookInterval = Duration.milliseconds(20)
        /// How long keys of the store are believed after the last look that succeeded. Revocations made while the store
        /// can't be read take as long to be seen.
        public var trust = Duration.seconds(300)

        /// The defaults.
        public init() {}
    }

    /// The clocks. Tests bring their own.
    public struct Clock: Sendable {
        var monotonic: @Sendable () -> MonotonicTime = { .now }
        /// Milliseconds since 1970, as the clients' clocks say: for the tokens that they sign.
        var wall: @Sendable () -> Int64
        /// The same, never earlier than is believed: a key that has ended does not come back with a clock set back.
        var now: @Sendable () -> Int64
        /// The time that has surely come: what has ended by then is ended for good.
        var believed: @Sendable () -> Int64
        /// Waits, also when the caller is cancelled: a look early would come too often.
        var sleep: @Sendable (Duration) async -> Void = { duration in
            // A task of its own isn't cancelled with the one that waits for it. The time is that of a look into the
            // store, which happens on no loop anyway.
            await Task { try? await Task.sleep(for: duration) }.value
        }

        /// The system's clocks.
        public init(_ clock: GuardedClock = GuardedClock()) {
            wall = { clock.wall }
            now = { clock.now }
            believed = { clock.believed }
        }
    }

    struct State {
        var table: KeyTable
        var version = Int64.min
        /// When the last look that succeeded began.
        var seenAt: MonotonicTime?
        var schedule: LookSchedule<CheckedContinuation<Turn, Never>>
    }

    let policy: Policy
    let clock: Clock
    let store: any TaskStore
    let vault: Vault
    let staticKeys: KeyTable
    let state: Lock<State>

    /// Knows `staticKeys` at once, and those of `store` after ``load()``.
    public init(
        staticKeys: [StaticKey], store: any TaskStore, vault: Vault, policy: Policy = Policy(), clock: Clock = Clock()
    ) {
        self.policy = policy
        self.clock = clock
        self.store = store
        self.vault = vault
        let table = KeyTable(staticKeys)
        self.staticKeys = table
        state = Lock(State(table: table, schedule: LookSchedule(interval: policy.lookInterval)))
    }

    // MARK: Who is it

    /// Lets a request in.
    /// - Parameter authorization: the values of its `Authorization` fields, without blanks around them.
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

    /// What can be said of a field's value at once.
    enum Verdict {
        case known(Principal)
        case refused(AccessRefusal)
        /// The key or token in that range isn't known, or not surely any more: ``authenticate(authorization:)`` decides.
        case undecided(Range<Int>)
    }

    /// Judges the value of the only `Authorization` field as far as that needs no store: the fast path.
    func check(_ value: Span<UInt8>) -> Verdict {
        let range: Range<Int>
        switch BearerCredential(value) {
        case .missing: return .refused(.missing)
        case .malformed: return .refused(.malformed)
        case .present(let found): range = found
        }
        guard let principal = known(Digest(of: value.extracting(range))) else { return .undecided(range) }
        return .known(principal)
    }

    private func decide(_ credential: [UInt8]) async throws(AccessRefusal) -> Principal {
        let text = String(decoding: credential, as: UTF8.self)
        if ClientToken.looksLikeToken(text) { return try await decide(token: text) }
        let hasLooked = await look()
        if let principal = known(Digest(of: credential.span)) { return principal }
        throw hasLooked ? .unknown : .unavailable
    }

    private func known(_ digest: Digest) -> Principal? {
        let (table, seenAt) = current()
        guard let entry = table[digest], isBelieved(entry, seenAt) else { return nil }
        return entry.principal
    }

    // MARK: Tokens that clients sign

    private func decide(token text: String) async throws(AccessRefusal) -> Principal {
        do {
            let token = try ClientToken(text)
            if let principal = try verify(token) { return principal }
            let hasLooked = await look()
            if let principal = try verify(token) { return principal }
            throw hasLooked ? AccessRefusal.unknown : .unavailable
        } catch let fault as TokenFault {
            throw AccessRefusal(fault)
        } catch let refusal as AccessRefusal {
            throw refusal
        } catch {
            // The vault doesn't open the secret key: the operator's matter, the client may be right.
            throw .unavailable
        }
    }

    /// The token's principal, once it is believed; nil if its issuer isn't known.
    private func verify(_ token: ClientToken) throws -> Principal? {
        let (table, seenAt) = current()
        guard let issuer = table.issuer(token.issuer), isBelieved(issuer.entry, seenAt) else { return nil }
        let secretKey = try vault.open(issuer.sealedSecretKey, .secretKey, of: issuer.entry.principal.keyID)
        try token.verify(secretKey: secretKey, now: Int(clock.wall() / 1000))
        return issuer.entry.principal
    }

    // MARK: The table

    private func current() -> (KeyTable, MonotonicTime?) { state.withLock { ($0.table, $0.seenAt) } }

    private func isBelieved(_ entry: KeyTable.Entry, _ seenAt: MonotonicTime?) -> Bool {
        guard entry.isStored else { return true }
        guard let seenAt, clock.monotonic() - seenAt <= policy.trust else { return false }
        return entry.isValid(at: clock.now())
    }
}
