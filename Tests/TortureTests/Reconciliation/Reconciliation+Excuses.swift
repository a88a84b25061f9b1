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

    /// The record of a task, by the id that a client was told. A record that a power cut has left without that id is
    /// known by the id that Kling has.
    func record(of publicID: String) -> StoreTask? {
        storeByID[publicID] ?? books.store.first { $0.publicID == publicID }
            ?? upstreamByID[publicID]?.externalTaskID.flatMap { storeByID[$0] }
    }

    /// Whether a client may be asked to come back later to the end: a power cut has taken the id that it was told, and
    /// the account that has the task cannot be asked for it, as another account has its name now.
    func isOutOfReach(_ publicID: String, told at: Moment) -> Bool {
        guard let task = upstreamByID[publicID], swapped.contains(gatewayName(task.account)),
            books.clients.powerCuts.contains(where: { at <= $0.upperBound }), let record = record(of: publicID)
        else { return false }
        return record.upstreamID == nil && mayStayOpen(record)
    }
}
