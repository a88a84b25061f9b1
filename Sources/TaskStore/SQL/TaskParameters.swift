/// The values of the statements that write tasks.
extension TaskRecord {
    /// Binds what is known of a task that is about to be sent to ``Query/insertTask``.
    func bindIntent(to insert: some StatementParameters) {
        insert.bind(1, self.id)
        insert.bind(2, self.tenant)
        insert.bind(3, account ?? "")
        insert.bind(4, self.externalTaskID)
        insert.bind(5, self.model)
        insert.bind(6, self.callbackURL)
        insert.bind(7, self.createdAt)
        insert.bind(8, self.keyID)
        insert.bind(9, self.idempotencyKey)
        insert.bind(10, self.job?.job)
        insert.bind(11, self.job.map { Int64($0.index) })
        insert.bind(12, self.assignment?.identity)
        insert.bind(13, self.content)
        insert.bind(14, self.assignment?.api)
        insert.bind(15, self.shape)
        insert.bind(16, self.day)
        insert.bind(17, self.charge.units)
        insert.bind(18, self.bytes)
    }

    /// Binds what a step has changed to one of the updates of ``Query``, whose first parameter is the row.
    func bindChange(_ query: Query, to update: some StatementParameters) {
        if query == .assignTask { return bindAssignment(to: update) }
        update.bind(2, self.state.rawValue)
        update.bind(3, self.flags.rawValue)
        update.bind(4, self.statusWord)
        update.bind(5, self.answer)
        update.bind(6, self.updatedAt)
        if query == .endTask {
            update.bind(7, self.finishedAt)
            update.bind(8, self.charge)
        }
        if query == .nameTask || query == .rewriteTask {
            update.bind(7, self.number)
            update.bind(8, self.publicID)
            update.bind(9, self.upstreamID)
        }
        if query == .rewriteTask {
            update.bind(10, self.isReleased ? 1 : 0)
            update.bind(11, self.finishedAt)
            update.bind(12, account ?? "")
            update.bind(13, self.payload)
            update.bind(14, self.assignment?.identity)
            update.bind(15, self.assignment?.api)
            update.bind(16, self.charge)
        }
    }

    private func bindAssignment(to update: some StatementParameters) {
        update.bind(2, account ?? "")
        update.bind(3, self.updatedAt)
        update.bind(4, self.assignment?.identity)
        update.bind(5, self.assignment?.api)
    }

    /// Binds everything to ``Query/insertWholeTask``, whose last parameter is the row. Such a task has no job, no
    /// `Idempotency-Key`, and neither an `external_task_id` nor a `callback_url`.
    func bindWhole(to insert: some StatementParameters) {
        insert.bind(1, self.id)
        insert.bind(2, self.tenant)
        insert.bind(3, account ?? "")
        insert.bind(4, self.model)
        insert.bind(5, self.createdAt)
        insert.bind(6, self.keyID)
        insert.bind(7, self.assignment?.identity)
        insert.bind(8, self.content)
        insert.bind(9, self.assignment?.api)
        insert.bind(10, self.shape)
        insert.bind(11, self.day)
        insert.bind(12, self.bytes)
        insert.bind(13, self.state.rawValue)
        insert.bind(14, self.flags.rawValue)
        insert.bind(15, self.number)
        insert.bind(16, self.publicID)
        insert.bind(17, self.upstreamID)
        insert.bind(18, self.statusWord)
        insert.bind(19, self.answer)
        insert.bind(20, self.updatedAt)
        insert.bind(21, self.charge)
    }
}

extension StatementParameters {
    /// Binds three parameters from `first` on.
    fileprivate func bind(_ first: Int32, _ charge: Charge) {
        bind(first, charge.units)
        bind(first + 1, charge.cash)
        bind(first + 2, charge.currency)
    }
}
