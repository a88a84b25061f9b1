internal import Base
internal import EventLoop
internal import TaskStore

/// The creates that wait for a slot, and the alarm that tries again when one may be free without an event.
struct WaitingRoom {
    var queue = RoomQueue()
    fileprivate var waiters: [Int: CheckedContinuation<Account?, Never>] = [:]
    fileprivate var alarm: Alarm?
    fileprivate var lastAlarm = 0
    /// The loop on which alarms are set: that of the latest waiter.
    fileprivate var loop: EventLoop?

    /// A sleep until the pool's next change.
    fileprivate struct Alarm {
        let number: Int
        let at: MonotonicTime
        var sleeper: Task<Void, Never>?
    }

    /// What to do about the alarm once the lock is released.
    fileprivate struct AlarmChange {
        var ended: Task<Void, Never>?
        var begun: (number: Int, delay: Duration, loop: EventLoop)?
    }

    /// Sets the alarm for the pool's next change, if any create waits.
    fileprivate mutating func setAlarm(for change: MonotonicTime?, now: MonotonicTime) -> AlarmChange {
        guard !queue.isEmpty, let change, let loop else {
            defer { alarm = nil }
            return AlarmChange(ended: alarm?.sleeper)
        }
        // An alarm that rings too early is then set again.
        if let alarm, alarm.at <= change { return AlarmChange() }
        let ended = alarm?.sleeper
        lastAlarm += 1
        alarm = Alarm(number: lastAlarm, at: change)
        return AlarmChange(ended: ended, begun: (lastAlarm, change - now, loop))
    }
}

/// A waiting create and the account that it gets.
struct ServedWaiter: Sendable {
    fileprivate let waiter: CheckedContinuation<Account?, Never>
    fileprivate let account: Account
}

extension Accounts.State {
    /// Gives free slots to waiting creates.
    mutating func serve(_ now: MonotonicTime) -> [ServedWaiter] {
        room.queue.isEmpty ? [] : Self.serve(&room, from: &pool, now)
    }

    private static func serve(
        _ room: inout WaitingRoom, from pool: inout AccountPool, _ now: MonotonicTime
    ) -> [ServedWaiter] {
        let served = room.queue.serve { waiter in
            pool.reserve(waiter.task, model: waiter.need.model, excluding: waiter.need.excluding, now: now)
        }
        return served.compactMap { waiter, account in
            room.waiters.removeValue(forKey: waiter.ticket).map { ServedWaiter(waiter: $0, account: account) }
        }
    }
}

extension Accounts {
    /// Takes a slot for a create, and waits for one if none is free: first come, first served, with tenants taking
    /// turns. If every account that is not excluded stays disabled, it waits until the deadline.
    /// - Parameters:
    ///   - excluding: the names of accounts that must not get the task.
    ///   - deadline: when it gives up.
    /// - Returns: the account; `nil` if the deadline has passed or the calling task is cancelled, in which case no slot
    ///   is taken. If a slot was taken before the cancellation, its account is returned.
    func wait(
        for task: TaskID, tenant: String, model: String, excluding: Set<String> = [], until deadline: MonotonicTime
    ) async -> Account? {
        if Task.isCancelled { return nil }
        let waiter = RoomQueue.Waiter(
            ticket: state.withLock { $0.room.queue.makeTicket() }, task: task, tenant: tenant,
            need: RoomQueue.Need(model: model, excluding: excluding))
        let timer = Timer { [weak self] in self?.leave(waiter) }
        timer.arm(after: max(.zero, deadline - clock()))
        defer { timer.cancel() }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { join(waiter, $0) }
        } onCancel: {
            leave(waiter)
        }
    }

    private func join(
        _ waiter: RoomQueue.Waiter, _ continuation: CheckedContinuation<Account?, Never>
    ) {
        let now = clock()
        change(now) { state in
            state.room.loop = .current
            state.room.waiters[waiter.ticket] = continuation
            state.room.queue.join(waiter)
            return ((), state.serve(now))
        }
        // A cancellation before the continuation was stored had nothing to resume.
        if Task.isCancelled { leave(waiter) }
    }

    private func leave(_ waiter: RoomQueue.Waiter) {
        let continuation = change(clock()) { state in
            state.room.queue.leave(waiter.ticket, tenant: waiter.tenant)
            return (state.room.waiters.removeValue(forKey: waiter.ticket), [])
        }
        continuation?.resume(returning: nil)
    }

    /// Changes the guarded state, then resumes the waiters that were served and updates the alarm.
    func change<Result: Sendable>(
        _ now: MonotonicTime, _ body: (inout State) -> (Result, [ServedWaiter])
    ) -> Result {
        let (result, served, alarm) = state.withLock { state in
            let (result, served) = body(&state)
            let alarm =
                state.room.queue.isEmpty && state.room.alarm == nil
                ? WaitingRoom.AlarmChange() : state.room.setAlarm(for: state.pool.nextChange(after: now), now: now)
            return (result, served, alarm)
        }
        for one in served { one.waiter.resume(returning: one.account) }
        carryOut(alarm)
        return result
    }

    private func carryOut(_ change: WaitingRoom.AlarmChange) {
        change.ended?.cancel()
        guard let (number, delay, loop) = change.begun else { return }
        let sleeper = loop.spawn {
            guard (try? await loop.sleep(for: delay)) != nil else { return }
            self.ring(number)
        }
        // The alarm may have been replaced before its sleeper was stored, in which case nothing has cancelled the
        // sleeper yet.
        let isNeeded = state.withLock { state in
            guard state.room.alarm?.number == number else { return false }
            state.room.alarm?.sleeper = sleeper
            return true
        }
        if !isNeeded { sleeper.cancel() }
    }

    private func ring(_ number: Int) {
        let now = clock()
        change(now) { state in
            if state.room.alarm?.number == number { state.room.alarm = nil }
            return ((), state.serve(now))
        }
    }
}
