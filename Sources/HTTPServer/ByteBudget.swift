internal import Base
public import EventLoop

/// The bytes that bodies being held may take together.
///
/// A body gets all it asks for or waits; who asked first is served first, but one owner has at most a share, and a body
/// that waits for its own owner's share lets others pass. From any loop.
public final class ByteBudget: Sendable {
    /// How many bytes one owner may have, as long as it asks for nothing beside others.
    public let share: Int
    private let queue: Lock<Queue>

    private struct Queue {
        var rules: BudgetRules
        var waiters: [Int: Waiter] = [:]
    }

    /// Resumed with why there is nothing, or `nil` when the bytes are had.
    private typealias Waiter = CheckedContinuation<RequestBodyError?, Never>

    /// A budget of `capacity` bytes, or of whatever else is counted.
    /// - Parameter share: how much of it one owner may have; nil: half.
    public init(capacity: Int, share: Int? = nil) {
        self.share = share ?? capacity / 2
        queue = Lock(Queue(rules: BudgetRules(capacity: capacity, share: self.share)))
    }

    /// How many bytes are taken.
    public var used: Int { queue.withLock { $0.rules.used } }

    /// How many bodies wait.
    public var waiting: Int { queue.withLock { $0.waiters.count } }

    /// A part of the budget, given back when it is released.
    public final class Lease: Sendable {
        private let budget: ByteBudget
        private let owner: String
        private let count: Lock<Int>

        fileprivate init(budget: ByteBudget, owner: String, count: Int) {
            self.budget = budget
            self.owner = owner
            self.count = Lock(count)
        }

        deinit { shrink(to: 0) }

        /// Gives back all but `rest` bytes.
        public func shrink(to rest: Int) {
            let surplus = count.withLock { count in
                defer { count = min(count, rest) }
                return max(0, count - rest)
            }
            budget.giveBack(surplus, owner: owner)
        }
    }

    /// Takes `count` bytes on `owner`'s account.
    /// - Parameters:
    ///   - loop: the caller's loop, on which it waits.
    ///   - patience: how long it waits.
    /// - Throws: `noBudget` when the time is over, or at once if `count` is more than one owner can ever have;
    ///   `cancelled`.
    public func reserve(
        _ count: Int, owner: String, on loop: EventLoop, patience: Duration
    ) async throws(RequestBodyError) -> Lease {
        try await reserve(count, owner, isBeside: false, loop, patience)
    }

    /// Takes `count` bytes beside others that the caller holds, or an owner's share if that is less.
    ///
    /// To wait for its own share could be to wait for itself: it gets more than that if nobody else waits. What is more
    /// than a share is not counted, so that a request which is alone always finds room.
    /// - Throws: `noBudget` when `patience` is over; `cancelled`.
    public func reserveBeside(
        _ count: Int, owner: String, on loop: EventLoop, patience: Duration
    ) async throws(RequestBodyError) -> Lease {
        try await reserve(min(count, share), owner, isBeside: true, loop, patience)
    }

    private func reserve(
        _ count: Int, _ owner: String, isBeside: Bool, _ loop: EventLoop, _ patience: Duration
    ) async throws(RequestBodyError) -> Lease {
        let id = queue.withLock { $0.rules.makeTicket() }
        let timer = Timer(loop: loop) { [weak self] in self?.leave(id, .noBudget) }
        timer.arm(after: patience)
        defer { timer.cancel() }
        let refusal = await withTaskCancellationHandler {
            await withCheckedContinuation { ask(for: count, owner: owner, isBeside: isBeside, ticket: id, $0) }
        } onCancel: {
            leave(id, .cancelled)
        }
        if let refusal { throw refusal }
        return Lease(budget: self, owner: owner, count: count)
    }

    private func ask(for count: Int, owner: String, isBeside: Bool, ticket id: Int, _ waiter: Waiter) {
        let answer = queue.withLock { queue in
            let answer = queue.rules.ask(for: count, owner: owner, ticket: id, isBeside: isBeside)
            if answer == .queued { queue.waiters[id] = waiter }
            return answer
        }
        switch answer {
        case .granted: waiter.resume(returning: nil)
        case .impossible: waiter.resume(returning: .noBudget)
        // A cancellation that came before the waiter was there found nobody to tell.
        case .queued: if Task.isCancelled { leave(id, .cancelled) }
        }
    }

    private func leave(_ id: Int, _ refusal: RequestBodyError) {
        let (waiter, served) = queue.withLock { queue in
            let served = queue.rules.leave(id).compactMap { queue.waiters.removeValue(forKey: $0) }
            return (queue.waiters.removeValue(forKey: id), served)
        }
        waiter?.resume(returning: refusal)
        for other in served { other.resume(returning: nil) }
    }

    private func giveBack(_ count: Int, owner: String) {
        guard count > 0 else { return }
        let served = queue.withLock { queue in
            queue.rules.giveBack(count, owner: owner).compactMap { queue.waiters.removeValue(forKey: $0) }
        }
        for waiter in served { waiter.resume(returning: nil) }
    }
}
