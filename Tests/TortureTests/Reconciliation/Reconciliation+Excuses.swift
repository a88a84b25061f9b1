/// What the gateway cannot know, and may therefore leave open. It says so to the operator, and finds the task by the id
/// that was told.
extension Reconciliation {
    /// Whether a record may still be open although Kling has brought its task to an end.
    func mayStayOpen(_ row: StoreTask) -> Bool {
        guard !row.isFinal, let account = row.account else { return false }
        // Kling's id is known, and means nothing to the account that has the name now; without it, the operator is told.
        if swapped.contains(account) { return row.upstreamID != nil || row.isUnknown || row.isStuck }
        return row.upstreamID == nil && row.isUnknown && kind(account) != .kling
    }

    /// Whether a record may still be open although nothing was made of it: that nothing is found proves little where it
    /// was not sent again.
    func mayStayUnmade(_ row: StoreTask) -> Bool {
        guard !row.isFinal, row.upstreamID == nil, let account = row.account else { return false }
        return kind(account) != .kling || swapped.contains(account) && (row.isUnknown || row.isStuck)
    }

    /// What can be expected of an account of the upstream's or of the gateway's.
    func kind(_ account: String) -> AccountPlan.Account.Kind { books.accounts[account]?.kind ?? .kling }

    /// The gateway's name for an account of the upstream's.
    func gatewayName(_ account: String) -> String { books.accounts[account]?.gatewayName ?? account }

    /// The record of a task that a client was told of.
    func record(of publicID: String) -> StoreTask? {
        storeByID[publicID] ?? books.store.first { $0.publicID == publicID }
    }
}
