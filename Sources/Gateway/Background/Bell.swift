internal import EventLoop

/// What a loop's task waits on: a time, or somebody's ring. Loop-confined.
final class Bell: @unchecked Sendable {
    // @unchecked: touched on the loop alone, which each function checks.
    private let loop: EventLoop
    private var timer: Timer?
    private var waiter: CheckedContinuation<Void, Never>?
    private var hasRung = false
    private var isClosed = false
    private var isHeeding = true

    init(loop: EventLoop) { self.loop = loop }

    /// Ends the wait, or the next one if nobody waits.
    func ring() {
        loop.assertCurrent()
        hasRung = true
        if isHeeding { wake() }
    }

    /// Ends this wait and every later one.
    func close() {
        loop.assertCurrent()
        isClosed = true
        wake()
    }

    /// Waits until the bell rings or `duration` is over. For one task at a time.
    /// - Parameter heeding: whether a ring ends it; if not, it ends the wait after this one.
    func wait(for duration: Duration, heeding: Bool = true) async {
        loop.assertCurrent()
        if !isClosed, !(heeding && hasRung) {
            isHeeding = heeding
            await withCheckedContinuation { continuation in
                waiter = continuation
                let timer = Timer(loop: loop) { [unowned self] in wake() }
                self.timer = timer
                timer.arm(after: duration)
            }
        }
        if heeding { hasRung = false }
    }

    private func wake() {
        timer = nil
        waiter.take()?.resume()
    }
}
