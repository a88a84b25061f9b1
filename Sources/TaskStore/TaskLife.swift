/// The part of a task's record that changes during the task's life. Its functions are the steps of that life,
/// independent of a store: each returns whether it changed anything.
public struct TaskLife: Sendable, Equatable {
    /// The account that has the task or is about to be sent it; nil if none is chosen.
    public internal(set) var assignment: Assignment?
    public internal(set) var state: TaskState = .intent
    public internal(set) var flags: TaskFlags = []
    /// The position among the tenant's tasks, consecutive from 1, assigned when the client is first told of the task.
    public internal(set) var number: Int64?
    /// The `task_id` that the client was told. Once set, it never changes.
    public internal(set) var publicID: String?
    /// Kling's `task_id`.
    public internal(set) var upstreamID: String?
    /// Kling's own word for the state, which need not match any ``TaskState``.
    public internal(set) var statusWord = ""
    /// Kling's last `data` object, as received.
    public internal(set) var answer: [UInt8]?
    /// Whether the client may use its `external_task_id` again: the create was refused, or never reached Kling.
    public internal(set) var isReleased = false
    public internal(set) var updatedAt: Int64
    /// When the task ended.
    public internal(set) var finishedAt: Int64?
    /// The size in bytes of the request that is kept outside the store until Kling has the task; 0 if there is none.
    public internal(set) var payload = 0
    /// What the task costs: an estimate until it ends.
    public internal(set) var charge = Charge()
    /// Whether another process that serves from the store sends, watches and settles the task.
    public internal(set) var isForeign = false
}

extension TaskLife {
    /// Makes the life of a task that was not sent yet.
    init(_ task: NewTask) {
        self.init(assignment: task.assignment, updatedAt: task.createdAt, charge: Charge(units: task.units))
    }

    /// What a step did to the record.
    enum Step: Equatable {
        /// The step changed the record.
        case changed
        /// The record already said this, or something later.
        case unchanged
        /// The record is past the point where the step makes sense.
        case impossible
    }

    /// Assigns the task to another account, or to none for now.
    mutating func assign(_ new: Assignment?, at time: Int64) -> Step {
        guard upstreamID == nil, !state.isFinal else { return .impossible }
        guard new != assignment else { return .unchanged }
        assignment = new
        updatedAt = time
        return .changed
    }

    /// Queues the task because no account has room. Its client is told the gateway's own id.
    mutating func queue(
        as ownID: TaskID, payload bytes: Int, at time: Int64, number next: () throws(StoreError) -> Int64
    ) throws(StoreError) -> Step {
        if state == .queued { return assign(nil, at: time) }
        guard state == .intent else { return .impossible }
        try tell(publicID: ownID.description, number: next)
        state = .queued
        assignment = nil
        payload = bytes
        updatedAt = time
        return .changed
    }

    /// Records that Kling has the task. If Kling already accepted it under the same id, this counts as an observation.
    mutating func accept(_ acceptance: Acceptance, number next: () throws(StoreError) -> Int64) throws(StoreError)
        -> Step
    {
        if upstreamID != nil {
            guard upstreamID == acceptance.upstreamID else { return .impossible }
            return observe(
                Observation(
                    state: acceptance.state, statusWord: acceptance.statusWord, answer: acceptance.answer,
                    charge: acceptance.charge, at: acceptance.at))
        }
        guard !state.isFinal, acceptance.state >= .submitted, acceptance.state != .refused else { return .impossible }
        try tell(publicID: acceptance.publicID, number: next)
        upstreamID = acceptance.upstreamID
        state = acceptance.state
        statusWord = acceptance.statusWord
        answer = acceptance.answer
        flags = []
        payload = 0
        settle(acceptance.charge, at: acceptance.at)
        return .changed
    }

    /// Makes the gateway's own id the public id, because the client is told that id.
    mutating func show(
        as ownID: TaskID, at time: Int64, number next: () throws(StoreError) -> Int64
    ) throws(StoreError) -> Step {
        if publicID != nil { return .unchanged }
        guard !state.isFinal else { return .impossible }
        try tell(publicID: ownID.description, number: next)
        updatedAt = time
        return .changed
    }

    /// Ends a task whose create was refused for good, or never reached Kling, before any client was told of the task.
    mutating func refuse(statusWord reason: String, at time: Int64) -> Step {
        if state == .refused { return .unchanged }
        guard state == .intent, publicID == nil else { return .impossible }
        state = .refused
        statusWord = reason
        isReleased = true
        settle(at: time)
        return .changed
    }

    /// Applies what was seen of the task. An observation of an earlier state changes nothing.
    mutating func observe(_ seen: Observation) -> Step {
        let next = seen.state ?? state
        guard !state.isFinal, next >= state, next != .refused else { return .unchanged }
        if seen.isIgnoredOnceAccepted, upstreamID != nil { return .unchanged }
        // Only an acceptance gives Kling's id and shows that Kling has the task. Before that, the task can only fail.
        guard upstreamID != nil || next == .failed else { return .unchanged }
        guard next != state || seen.statusWord != statusWord || seen.answer.map({ $0 != answer }) ?? false else {
            return .unchanged
        }
        state = next
        statusWord = seen.statusWord
        answer = seen.answer ?? answer
        isReleased = upstreamID == nil
        settle(seen.charge, at: seen.at)
        return .changed
    }

    /// Ends a queued task without sending it. Only a task without an account is certain not to have been sent.
    mutating func cancel(reason: String, at time: Int64) -> Step {
        guard state == .queued, assignment == nil else { return .impossible }
        return observe(Observation(state: .failed, statusWord: reason, answer: nil, at: time))
    }

    /// Sets what the operator should know about the task.
    mutating func flag(_ new: TaskFlags) -> Step {
        guard !state.isFinal, new != flags else { return .unchanged }
        flags = new
        return .changed
    }

    private mutating func tell(publicID newID: String, number next: () throws(StoreError) -> Int64) throws(StoreError) {
        if number == nil { number = try next() }
        if publicID == nil { publicID = newID }
    }

    /// - Parameter charge: what Kling has deducted; nil if it does not say. Then a task that succeeded has cost what was
    ///   expected, and any other one nothing.
    private mutating func settle(_ charge: Charge? = nil, at time: Int64) {
        updatedAt = time
        guard state.isFinal else { return }
        self.charge = charge ?? (state == .succeed ? self.charge : Charge())
        finishedAt = time
        flags = []
        payload = 0
    }
}
