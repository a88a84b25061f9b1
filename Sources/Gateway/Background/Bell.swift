internal import EventLoop

/// Lets a task on a loop wait for a timeout or for a ring. Loop-confined.
final class Bell: @unchecked Sendable {
    // @unchecked: used only on the loop, which each function checks.
    private let loop: EventLoop
    private var timer: Timer?
    private var waiter: CheckedContinuation<Void, Never>?
    private var hasRung = false
    private var isClosed = false
    private var endsOnRing = true

    init(loop: EventLoop) { self.loop = loop }

    /// Ends the current wait, or the next one if no task is waiting.
    func ring() {
        loop.assertCurrent()
        hasRung = true
        if endsOnRing { wake() }
    }

    /// Ends this wait and every later one.
    func close() {
        loop.assertCurrent()
        isClosed = true
        wake()
    }

    /// Waits until the bell rings or `duration` has passed. Only one task may wait at a time.
    /// - Parameter endsOnRing: whether a ring ends this wait; if not, the ring ends the wait after it.
    func wait(for duration: Duration, endsOnRing: Bool = true) async {
        loop.assertCurrent()
        if !isClosed, !(endsOnRing && hasRung) {
            self.endsOnRing = endsOnRing
            await withCheckedContinuation { continuation in
                waiter = continuation
                let timer = Timer(loop: loop) { [unowned self] in wake() }
                self.timer = timer
                timer.arm(after: duration)
            }
        }
        if endsOnRing { hasRung = false }
    }

    private func wake() {
        timer = nil
        waiter.take()?.resume()
    }
}
