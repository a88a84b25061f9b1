internal import Base
internal import EventLoop

/// Makes the blocks of bodies with the memory of earlier ones, and returns that memory to the system when bodies no
/// longer need it. Loop-confined.
final class BodyBlocks {
    /// The limit on all of them.
    let budget: ByteBudget
    private let loop: EventLoop
    private let spares: SpareMappings
    private var timer: Timer?
    private let patience: Duration
    private var isStopped = false

    /// - Parameter patience: how long to keep memory that no body needs.
    init(loop: EventLoop, budget: ByteBudget, spares: SpareMappings, patience: Duration = .seconds(1)) {
        (self.loop, self.budget, self.spares, self.patience) = (loop, budget, spares, patience)
    }

    /// Makes a block for a body of `count` bytes, which are reserved from the budget and will all arrive.
    /// - Returns: nil if the system has no memory for it.
    func make(_ count: Int, onRelease: @escaping @Sendable () -> Void) -> Bytes? {
        if isStopped { return Bytes(reserving: count, onRelease: onRelease) }
        if timer == nil {
            let timer = Timer(loop: loop) { [unowned self] in sweep() }
            timer.arm(after: patience)
            self.timer = timer
        }
        return Bytes(reserving: count, from: spares, onRelease: onRelease)
    }

    private func sweep() {
        let isWanted = spares.drop(keptBefore: .now + (.zero - patience))
        if isWanted { timer?.arm(after: patience) } else { timer = nil }
    }

    /// Returns what is kept, and makes blocks with memory of their own from now on. The timer is released, which must
    /// happen on its loop.
    func stop() {
        isStopped = true
        timer = nil
        _ = spares.drop(keptBefore: .now)
    }
}
