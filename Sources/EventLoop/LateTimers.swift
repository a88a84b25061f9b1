internal import Base
internal import CLibevent

/// Timers that libevent has no memory for: the loop checks them itself, every 10 ms, so that no deadline is lost.
///
/// Its own event is created and armed with the loop; arming it again takes no memory.
@safe final class LateTimers {
    private var event: OpaquePointer?
    private var waiting: [ObjectIdentifier: Late] = [:]

    private struct Late {
        weak var timer: Timer?
        let due: MonotonicTime
    }

    /// How often waiting timers are checked.
    private static let pace = Duration.milliseconds(10)
    /// The interval when no timer waits.
    private static let day = Duration.seconds(86_400)

    /// Creates and arms the event. Called once, before the loop's thread runs.
    ///
    /// The loop owns this object and unregisters it in its `deinit`: the unretained context is valid as long as the
    /// event is.
    /// - Returns: whether there was memory for the event.
    func register(on loop: EventLoop) -> Bool {
        unsafe event = event_new(loop.base, -1, 0, lateTimersAreDue, Unmanaged.passUnretained(loop).toOpaque())
        return unsafe event != nil && arm(after: Self.day)
    }

    func unregister() {
        if let event = unsafe event { unsafe event_free(event) }
        unsafe event = nil
    }

    /// Keeps `timer` until it is due or removed.
    func add(_ timer: Timer, due: MonotonicTime) {
        waiting[ObjectIdentifier(timer)] = Late(timer: timer, due: due)
        _ = arm(after: Self.pace)
    }

    func remove(_ timer: Timer) {
        if !waiting.isEmpty { waiting[ObjectIdentifier(timer)] = nil }
    }

    /// Fires the timers that are due.
    func look() {
        let now = MonotonicTime.now
        while let (key, next) = waiting.min(by: { $0.value.due < $1.value.due }), next.due <= now {
            waiting[key] = nil
            next.timer?.fired()
        }
        _ = arm(after: waiting.isEmpty ? Self.day : Self.pace)
    }

    private func arm(after delay: Duration) -> Bool {
        var time = timeval(delay)
        return unsafe event_add(event, &time) == 0
    }
}

private func lateTimersAreDue(_: Int32, _: Int16, context: UnsafeMutableRawPointer?) {
    guard let context = unsafe context else { return }
    unsafe Unmanaged<EventLoop>.fromOpaque(context).takeUnretainedValue().lateTimers.look()
}
