/// What the gateway cannot know and may therefore leave open. It tells the operator so, and finds the task by the id
/// that the client was told.
extension Reconciliation {
    /// Whether a record may still be open although its task has ended at Kling.
    func mayStayOpen(_ row: StoreTask) -> Bool {
        guard !row.isFinal, let account = row.account else { return false }
        // Kling's id is known but means nothing to the account that now has the name. Without it, the operator is told.
        if swapped.contains(account) { return row.upstreamID != nil || row.isUnknown || row.isStuck }
        return row.upstreamID == nil && row.isUnknown && kind(account) != .kling
    }

    /// Whether a record may still be open although nothing was made: finding nothing proves little if the create was
    /// not sent again.
    func mayStayUnmade(_ row: StoreTask) -> Bool {
        guard !row.isFinal, row.upstreamID == nil, let account = row.account else { return false }
        return kind(account) != .kling || swapped.contains(account) && (row.isUnknown || row.isStuck)
    }

    /// What can be expected of an account, by its name at the upstream or at the gateway.
    func kind(_ account: String) -> AccountPlan.Account.Kind { books.accounts[account]?.kind ?? .kling }

    /// The gateway's name for an account of the upstream.
    func gatewayName(_ account: String) -> String { books.accounts[account]?.gatewayName ?? account }

    /// The record of a task, by the id that a client was told.
    func record(of publicID: String) -> StoreTask? {
        storeByID[publicID] ?? books.store.first { $0.publicID == publicID }
    }
}
