internal import Base
internal import CLibevent

/// Timers that libevent could not arm for lack of memory. The loop checks them itself, every 10 ms, so that no deadline
/// is missed.
///
/// The event for these checks is created and armed with the loop; rearming it needs no memory.
@safe final class FallbackTimers {
    private var event: OpaquePointer?
    private var waiting: [ObjectIdentifier: Entry] = [:]

    private struct Entry {
        weak var timer: Timer?
        let due: MonotonicTime
    }

    /// How often waiting timers are checked.
    private static let checkInterval = Duration.milliseconds(10)
    /// How often the event fires when no timer waits.
    private static let idleInterval = Duration.seconds(86_400)

    /// Creates and arms the event. Called once, before the loop's thread runs.
    ///
    /// The event's unretained context is the loop, which owns this object and unregisters it in its `deinit`. So the
    /// context outlives the event.
    /// - Returns: false if there was not enough memory for the event.
    func register(on loop: EventLoop) -> Bool {
        unsafe event = event_new(loop.base, -1, 0, fallbackTimersAreDue, Unmanaged.passUnretained(loop).toOpaque())
        return unsafe event != nil && arm(after: Self.idleInterval)
    }

    func unregister() {
        if let event = unsafe event { unsafe event_free(event) }
        unsafe event = nil
    }

    /// Keeps `timer` until it is due or removed.
    func add(_ timer: Timer, due: MonotonicTime) {
        waiting[ObjectIdentifier(timer)] = Entry(timer: timer, due: due)
        _ = arm(after: Self.checkInterval)
    }

    func remove(_ timer: Timer) {
        if !waiting.isEmpty { waiting[ObjectIdentifier(timer)] = nil }
    }

    /// Fires the timers that are due.
    func fireDue() {
        let now = MonotonicTime.now
        while let (key, next) = waiting.min(by: { $0.value.due < $1.value.due }), next.due <= now {
            waiting[key] = nil
            next.timer?.fired()
        }
        _ = arm(after: waiting.isEmpty ? Self.idleInterval : Self.checkInterval)
    }

    private func arm(after delay: Duration) -> Bool {
        var time = timeval(delay)
        return unsafe event_add(event, &time) == 0
    }
}

private func fallbackTimersAreDue(_: Int32, _: Int16, context: UnsafeMutableRawPointer?) {
    guard let context = unsafe context else { return }
    unsafe Unmanaged<EventLoop>.fromOpaque(context).takeUnretainedValue().fallbackTimers.fireDue()
}
