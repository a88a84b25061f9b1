internal import Base
internal import TaskStore

/// Keeps the table up to date with the store.
extension Access {
    /// What a caller that asked for a refresh has to do next.
    enum Turn: Sendable {
        /// Nothing: the refresh has ended. The value is whether the store answered.
        case done(Bool)
        /// Run the refresh, after this delay.
        case lead(after: Duration)
    }

    /// Reads the keys for the first time, and marks the store with the master key.
    /// - Throws: ``StoreError`` if the store can't be read, ``VaultError`` if the master key isn't the one that the
    ///   newest key was sealed with.
    public func load() async throws {
        let records = try await read(startedAt: clock.monotonic())
        if let newest = records?.last?.key {
            _ = try vault.open(newest.secrets.sealedSecretKey, .secretKey, of: newest.id)
        }
        // Without the mark, only commands with a wrong master key go unnoticed.
        if try await keys.masterKeyMark() != vault.mark { try? await keys.keepMasterKeyMark(vault.mark) }
    }

    /// Checks whether keys have changed. Called every 500 ms, so that a revoked key stops working within a second.
    /// - Returns: whether the store answered.
    @discardableResult
    public func refresh() async -> Bool { await sharedRefresh() }

    /// Waits for a refresh that begins after this call and is shared with all other callers.
    /// - Returns: whether the store answered.
    func sharedRefresh() async -> Bool {
        let delay: Duration
        switch await turn() {
        case .done(let hasAnswered): return hasAnswered
        case .lead(let after): delay = after
        }
        if delay > .zero { await clock.sleep(delay) }
        let start = clock.monotonic()
        state.withLock { $0.schedule.began(now: start) }
        let hasAnswered: Bool
        do { _ = try await read(startedAt: start); hasAnswered = true } catch { hasAnswered = false }
        let end = state.withLock { [now = clock.monotonic()] in $0.schedule.ended(now: now) }
        end.leader?.waiter.resume(returning: .lead(after: end.leader?.after ?? .zero))
        for waiter in end.served { waiter.resume(returning: .done(hasAnswered)) }
        return hasAnswered
    }

    private func turn() async -> Turn {
        await withCheckedContinuation { waiter in
            let now = clock.monotonic()
            let delay: Duration? = state.withLock { state in
                if case .lead(let delay) = state.schedule.ask(now: now) { return delay }
                state.schedule.add(waiter)
                return nil
            }
            if let delay { waiter.resume(returning: .lead(after: delay)) }
        }
    }

    /// Brings the table up to date.
    /// - Returns: the records, if they had to be read.
    private func read(startedAt: MonotonicTime) async throws(StoreError) -> [KeyRecord]? {
        // The version first: rows read after it are at least as new, so a table is never older than its version says.
        let version = try await keys.version()
        let isNew = state.withLock { version > $0.version }
        var news: (records: [KeyRecord], rules: [TenantRules])?
        if isNew { news = (try await keys.all(), try await keys.tenantRules()) }
        let now = clock.believed()
        let isLimited = state.withLock { state in
            state.seenAt = max(state.seenAt ?? startedAt, startedAt)
            guard let news, version > state.version else { return false }
            let table = KeyTable(news.records, news.rules, after: state.table.keys, now: now)
            let isLimited = !table.runningLimits.isSubset(of: state.table.keys.runningLimits)
            state.table = KeyTableSnapshot(table)
            state.version = version
            return isLimited
        }
        if isLimited { await onLimits.withLock { $0 }?() }
        return news?.records
    }
}
