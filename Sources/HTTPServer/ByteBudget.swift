internal import Base
internal import EventLoop

/// A limit on the bytes that bodies in memory take together.
///
/// A body gets all the bytes that it requests, or waits. Requests are granted in order, but one owner gets at most a
/// share, and a body that waits for its owner's share lets others pass. Can be used from any loop.
public final class ByteBudget: Sendable {
    /// How many bytes one owner may have, except through ``reserveAdditional(_:owner:patience:)``.
    public let share: Int
    private let queue: Lock<Queue>

    private struct Queue {
        var rules: BudgetRules
        var waiters: [Int: Waiter] = [:]
    }

    /// Resumed with the reason for a refusal, or with `nil` once the bytes are granted.
    private typealias Waiter = CheckedContinuation<RequestBodyError?, Never>

    /// Makes a budget of `capacity` bytes, or of any other unit.
    /// - Parameter share: how much of it one owner may have; half of it if nil.
    public init(capacity: Int, share: Int? = nil) {
        self.share = share ?? capacity / 2
        queue = Lock(Queue(rules: BudgetRules(capacity: capacity, share: self.share)))
    }

    /// How many bytes are reserved.
    public var used: Int { queue.withLock { $0.rules.used } }

    /// How many bodies wait.
    public var waiting: Int { queue.withLock { $0.waiters.count } }

    /// A reservation, which returns its bytes to the budget when it is released.
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

        /// Returns all but `rest` bytes to the budget.
        public func shrink(to rest: Int) {
            let surplus = count.withLock { count in
                defer { count = min(count, rest) }
                return max(0, count - rest)
            }
            budget.giveBack(surplus, owner: owner)
        }
    }

    /// Reserves `count` bytes for `owner`, and waits if needed.
    /// - Parameters:
    ///   - patience: how long to wait.
    /// - Throws: `noBudget` after `patience`, or at once if `count` is more than one owner can ever have; `cancelled`.
    public func reserve(
        _ count: Int, owner: String, patience: Duration
    ) async throws(RequestBodyError) -> Lease {
        try await reserve(count, owner, isAdditional: false, patience)
    }

    /// Reserves `count` bytes in addition to others that the caller holds, or an owner's share if that is less.
    ///
    /// If the owner's share is used up, the caller could be waiting for bytes that it holds itself, so it may exceed
    /// the share if nothing else waits. Bytes above one share are not counted, so that a request that is alone always
    /// finds room.
    /// - Throws: `noBudget` after `patience`; `cancelled`.
    public func reserveAdditional(
        _ count: Int, owner: String, patience: Duration
    ) async throws(RequestBodyError) -> Lease {
        try await reserve(min(count, share), owner, isAdditional: true, patience)
    }

    private func reserve(
        _ count: Int, _ owner: String, isAdditional: Bool, _ patience: Duration
    ) async throws(RequestBodyError) -> Lease {
        let id = queue.withLock { $0.rules.makeTicket() }
        let timer = Timer { [weak self] in self?.leave(id, .noBudget) }
        timer.arm(after: patience)
        defer { timer.cancel() }
        let refusal = await withTaskCancellationHandler {
            await withCheckedContinuation { ask(for: count, owner: owner, isAdditional: isAdditional, ticket: id, $0) }
        } onCancel: {
            leave(id, .cancelled)
        }
        if let refusal { throw refusal }
        return Lease(budget: self, owner: owner, count: count)
    }

    private func ask(for count: Int, owner: String, isAdditional: Bool, ticket id: Int, _ waiter: Waiter) {
        let answer = queue.withLock { queue in
            let answer = queue.rules.ask(for: count, owner: owner, ticket: id, isAdditional: isAdditional)
            if answer == .queued { queue.waiters[id] = waiter }
            return answer
        }
        switch answer {
        case .granted: waiter.resume(returning: nil)
        case .impossible: waiter.resume(returning: .noBudget)
        // If the cancellation came before the waiter was stored, its handler found nothing to resume.
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
