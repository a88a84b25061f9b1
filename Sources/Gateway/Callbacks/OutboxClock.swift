internal import Base
internal import TaskStore

/// The clock that decides which deliveries are due. When it has jumped, all deliveries in the outbox are shifted by the
/// same amount, so that none waits longer than its pause and none loses its pause. Times are in milliseconds.
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

    /// Returns the time since 1970, after all deliveries were shifted if the clock has jumped. Only one caller at a
    /// time may wait for it.
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
