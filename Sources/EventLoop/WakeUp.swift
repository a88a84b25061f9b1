internal import Base
internal import CLibevent
internal import Glibc

/// Wakes a loop from `epoll_wait`: an `eventfd`, watched edge-triggered.
///
/// Each write to it is reported, whatever its counter is, so that the loop need not read it. A counter of 64 bits never
/// overflows.
@safe final class WakeUp {
    private let descriptor: Int32
    private var event: OpaquePointer?

    init() throws(SystemCallError) {
        descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        if descriptor < 0 { throw SystemCallError("eventfd") }
    }

    deinit { close(descriptor) }

    /// Creates and adds the event. Called once, before the loop's thread runs.
    ///
    /// The loop owns the wake-up and unregisters it in its `deinit`: the unretained context is valid as long as the
    /// event is.
    /// - Returns: whether there was memory for the event.
    func register(on loop: EventLoop) -> Bool {
        let context = unsafe Unmanaged.passUnretained(loop).toOpaque()
        unsafe event = event_new(
            loop.base, descriptor, Int16(EV_READ | EV_PERSIST | EV_ET), wakeUpHasFired, context)
        return unsafe event != nil && event_add(event, nil) == 0
    }

    func unregister() {
        if let event = unsafe event { unsafe event_free(event) }
        unsafe event = nil
    }

    /// Wakes the loop. Can be called from any thread.
    ///
    /// On the loop's own thread, it gives sockets and timers their turn before the loop runs more jobs. `event_active`
    /// would not, because libevent empties its active queue before it polls again.
    func signal() {
        var one: UInt64 = 1
        _ = unsafe write(descriptor, &one, MemoryLayout<UInt64>.size)
    }
}

private func wakeUpHasFired(_: Int32, _: Int16, context: UnsafeMutableRawPointer?) {
    guard let context = unsafe context else { return }
    unsafe Unmanaged<EventLoop>.fromOpaque(context).takeUnretainedValue().takeInbox()
}
