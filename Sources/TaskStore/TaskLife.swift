extension TaskRecord {
    /// The record of a task that is about to be sent.
    init(_ task: NewTask, job: JobPlace? = nil) { self.init(Fields(task, job: job)) }
}

/// The steps of a task's life, without a store: every step says whether it changed anything.
extension TaskRecord.Fields {
    fileprivate init(_ task: NewTask, job: JobPlace?) {
        self.init(
            id: task.id, tenant: task.tenant, externalTaskID: task.externalTaskID, model: task.model,
            callbackURL: task.callbackURL, keyID: task.keyID, idempotencyKey: task.idempotency?.key,
            createdAt: task.createdAt, job: job, content: task.content, shape: task.shape, account: task.account,
            accountIdentity: task.accountIdentity, api: task.api, updatedAt: task.createdAt)
    }

    /// What a step did to the record.
    enum Step: Equatable {
        /// The record says something new.
        case changed
        /// The record said so already, or something later.
        case unchanged
        /// The record is past the point where the step makes sense.
        case impossible
    }

    /// Another account is to be sent the task, or none for now.
    mutating func assign(_ new: String?, identity: Int64?, api newAPI: String?, at time: Int64) -> Step {
        guard upstreamID == nil, !state.isFinal else { return .impossible }
        guard new != account || identity != accountIdentity || newAPI != api else { return .unchanged }
        (account, accountIdentity, api) = (new, identity, newAPI)
        updatedAt = time
        return .changed
    }

    /// No account has room: the task waits, and its client is told the gateway's own id.
    mutating func queue(payload bytes: Int, at time: Int64, number next: () throws(StoreError) -> Int64)
        throws(StoreError) -> Step
    {
        if state == .queued { return assign(nil, identity: nil, api: nil, at: time) }
        guard state == .intent else { return .impossible }
        try tell(publicID: id.description, number: next)
        state = .queued
        (account, accountIdentity, api) = (nil, nil, nil)
        payload = bytes
        updatedAt = time
        return .changed
    }

    /// Kling has the task. To a record that Kling accepted under the same id before it is what was seen of the task.
    mutating func accept(_ acceptance: Acceptance, number next: () throws(StoreError) -> Int64) throws(StoreError)
        -> Step
    {
        if upstreamID != nil {
            guard upstreamID == acceptance.upstreamID else { return .impossible }
            return observe(
                Observation(
                    state: acceptance.state, statusWord: acceptance.statusWord, answer: acceptance.answer,
                    at: acceptance.at))
        }
        guard !state.isFinal, acceptance.state >= .submitted, acceptance.state != .refused else { return .impossible }
        try tell(publicID: acceptance.publicID, number: next)
        upstreamID = acceptance.upstreamID
        state = acceptance.state
        statusWord = acceptance.statusWord
        answer = acceptance.answer
        flags = []
        payload = 0
        settle(at: acceptance.at)
        return .changed
    }

    /// The client is told the gateway's own id.
    mutating func show(at time: Int64, number next: () throws(StoreError) -> Int64) throws(StoreError) -> Step {
        if publicID != nil { return .unchanged }
        guard !state.isFinal else { return .impossible }
        try tell(publicID: id.description, number: next)
        updatedAt = time
        return .changed
    }

    /// The create was refused for good, or never made, before any client was told of the task.
    mutating func refuse(statusWord reason: String, at time: Int64) -> Step {
        if state == .refused { return .unchanged }
        guard state == .intent, publicID == nil else { return .impossible }
        state = .refused
        statusWord = reason
        isReleased = true
        settle(at: time)
        return .changed
    }

    /// Something was seen of the task. What is older than the record changes nothing.
    mutating func observe(_ seen: Observation) -> Step {
        let next = seen.state ?? state
        guard !state.isFinal, next >= state, next != .refused else { return .unchanged }
        if seen.yieldsToAcceptance, upstreamID != nil { return .unchanged }
        // Kling has the task only once an acceptance has said under which id; before that it can but fail.
        guard upstreamID != nil || next == .failed else { return .unchanged }
        guard next != state || seen.statusWord != statusWord || seen.answer.map({ $0 != answer }) ?? false else {
            return .unchanged
        }
        state = next
        statusWord = seen.statusWord
        answer = seen.answer ?? answer
        isReleased = upstreamID == nil
        settle(at: seen.at)
        return .changed
    }

    /// The task is not to be sent, which only a task without an account can be sure of.
    mutating func cancel(reason: String, at time: Int64) -> Step {
        guard state == .queued, account == nil else { return .impossible }
        return observe(Observation(state: .failed, statusWord: reason, answer: nil, at: time))
    }

    /// The operator is to know something of the task, or no longer.
    mutating func flag(_ new: TaskFlags) -> Step {
        guard !state.isFinal, new != flags else { return .unchanged }
        flags = new
        return .changed
    }

    private mutating func tell(publicID newID: String, number next: () throws(StoreError) -> Int64) throws(StoreError) {
        if number == nil { number = try next() }
        if publicID == nil { publicID = newID }
    }

    private mutating func settle(at time: Int64) {
        updatedAt = time
        guard state.isFinal else { return }
        finishedAt = time
        flags = []
        payload = 0
    }
}
