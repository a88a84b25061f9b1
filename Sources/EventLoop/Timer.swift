internal import Base
internal import CLibevent
internal import Glibc

/// Calls a closure once, a given time after it was armed. Loop-confined.
///
/// It may fire about 5 ms early, and more after long callbacks: libevent 2.1.12 counts from the time at which the loop
/// woke up, on a clock with steps of up to 4 ms (`findings/libevent-early-timers.sh`). A closure that compares a
/// deadline with another clock must be ready to arm the timer again.
///
/// The timer can be armed again, even from its own closure. If libevent has no memory for it, the loop keeps track of
/// it, and it still fires, up to 10 ms late.
@safe public final class Timer {
    private let loop: EventLoop
    private var event: OpaquePointer?
    private let body: () -> Void

    /// Makes a timer that is not armed, on the caller's loop unless another is given. Releasing the timer cancels it.
    public init(loop: EventLoop = .current, _ body: @escaping () -> Void) {
        loop.assertCurrent()
        self.loop = loop
        self.body = body
        // The event is freed in `deinit`: the unretained context is valid as long as the event is.
        unsafe event = event_new(loop.base, -1, 0, timerHasFired, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit {
        loop.assertCurrent()
        loop.fallbackTimers.remove(self)
        if let event = unsafe event { unsafe event_free(event) }
    }

    /// Arms the timer to fire after `delay`, instead of any earlier deadline.
    public func arm(after delay: Duration) {
        loop.assertCurrent()
        var time = timeval(delay)
        unsafe add(&time, after: delay)
    }

    /// Arms the timer at constant cost, for deadlines that thousands of connections share.
    public func arm(after timeout: CommonTimeout) {
        loop.assertCurrent()
        guard let queue = unsafe timeout.queue else { return arm(after: timeout.duration) }
        unsafe add(queue, after: timeout.duration)
    }

    private func add(_ time: UnsafePointer<timeval>, after delay: Duration) {
        loop.fallbackTimers.remove(self)
        if let event = unsafe event, unsafe event_add(event, time) == 0 { return }
        cancel()
        loop.fallbackTimers.add(self, due: .now + delay)
    }

    /// Keeps the timer from firing until it is armed again.
    public func cancel() {
        loop.assertCurrent()
        loop.fallbackTimers.remove(self)
        if let event = unsafe event { unsafe event_del(event) }
    }

    func fired() { loop.enter(body) }
}

/// A duration for which the loop keeps its own timer queue (`event_base_init_common_timeout`).
@safe public struct CommonTimeout {
    /// How long timers armed with it wait.
    public let duration: Duration
    // Owned by the event base, and valid as long as the base is. `nil` once the base has its maximum of queues (256).
    let queue: UnsafePointer<timeval>?
}

private func timerHasFired(_: Int32, _: Int16, context: UnsafeMutableRawPointer?) {
    guard let context = unsafe context else { return }
    unsafe Unmanaged<Timer>.fromOpaque(context).takeUnretainedValue().fired()
}

extension timeval {
    init(_ duration: Duration) {
        let microseconds = max(0, duration.nanoseconds / 1000)
        self.init(
            tv_sec: .init(truncatingIfNeeded: microseconds / 1_000_000),
            tv_usec: .init(truncatingIfNeeded: microseconds % 1_000_000))
    }
}

extension EventLoop {
    /// Suspends the caller for `duration`, using this loop's timers.
    /// - Throws: `CancellationError` as soon as the task is cancelled.
    public func sleep(for duration: Duration) async throws(CancellationError) {
        let nap = Sleep()
        let finished = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                execute { nap.begin(continuation, on: self, for: duration) }
            }
        } onCancel: {
            execute { nap.end(finished: false) }
        }
        if !finished { throw CancellationError() }
    }
}

/// One sleep: the timer and the continuation that waits for it. Only accessed on the loop's thread.
private final class Sleep: @unchecked Sendable {
    // @unchecked: both closures that reach it run through `EventLoop.execute`, in order, on one thread.
    private var timer: Timer?
    private var waiter: CheckedContinuation<Bool, Never>?
    private var isCancelled = false

    func begin(_ continuation: CheckedContinuation<Bool, Never>, on loop: EventLoop, for duration: Duration) {
        if isCancelled { return continuation.resume(returning: false) }
        waiter = continuation
        let timer = Timer(loop: loop) { [unowned self] in end(finished: true) }
        self.timer = timer
        timer.arm(after: duration)
    }

    func end(finished: Bool) {
        isCancelled = !finished
        timer = nil
        waiter?.resume(returning: finished)
        waiter = nil
    }
}
