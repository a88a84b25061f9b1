internal import Base
internal import TaskStore

/// The clock that decides which deliveries are due. After a jump, all deliveries that are not due yet are shifted by
/// the same amount, so that each still waits for the rest of its pause. Times are in milliseconds.
final class OutboxClock: Sendable {
    private let clock: GuardedClock
    private let store: any DeliveryStore
    private let observer: any GatewayObserver
    private let tolerance: Int64
    /// How far the clock was ahead of the monotonic one when it was last read.
    private let lead = Lock<Int64?>(nil)

    /// - Parameter tolerance: how much the clock may drift from the monotonic one between two readings before this
    ///   counts as a jump.
    init(_ clock: GuardedClock, store: any DeliveryStore, observer: any GatewayObserver, tolerance: Int64) {
        (self.clock, self.store, self.observer, self.tolerance) = (clock, store, observer, tolerance)
    }

    var monotonic: Int64 { clock.monotonic }

    /// Returns the time since 1970. If the clock has jumped, first shifts the deliveries. Must not be called again
    /// before it has returned.
    func now() async throws(StoreError) -> Int64 {
        let (now, monotonic) = (clock.now, clock.monotonic)
        let step = lead.withLock { $0 }.map { now - monotonic - $0 } ?? 0
        if abs(step) > tolerance {
            try await store.shiftDeliveries(by: step, to: now)
            observer.event(.warning, "the clock has jumped: callbacks keep their pauses", [("milliseconds", "\(step)")])
        }
        lead.withLock { $0 = now - monotonic }
        return now
    }
}
