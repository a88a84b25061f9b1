internal import CLibevent

/// Calls a closure on the loop's thread when the process receives a signal. Loop-confined.
///
/// libevent delivers signals to only one base of a process: watch them all on the same loop.
@safe public final class SignalWatch {
    private let loop: EventLoop
    private var event: OpaquePointer?
    private let body: () -> Void

    /// Replaces the default action of `signal` until the watch is released.
    public init(loop: EventLoop, signal: Int32, _ body: @escaping () -> Void) {
        loop.assertCurrent()
        self.loop = loop
        self.body = body
        // The event is freed in `deinit`: the unretained context is valid as long as the event is.
        unsafe event = event_new(
            loop.base, signal, Int16(EV_SIGNAL | EV_PERSIST), signalHasArrived,
            Unmanaged.passUnretained(self).toOpaque())
        // Watches are created at startup: without them, the process could not shut down cleanly.
        precondition(unsafe event != nil && event_add(event, nil) == 0, "signal \(signal) cannot be watched: no memory")
    }

    deinit {
        loop.assertCurrent()
        if let event = unsafe event { unsafe event_free(event) }
    }

    fileprivate func arrived() { loop.enter(body) }
}

private func signalHasArrived(_: Int32, _: Int16, context: UnsafeMutableRawPointer?) {
    guard let context = unsafe context else { return }
    unsafe Unmanaged<SignalWatch>.fromOpaque(context).takeUnretainedValue().arrived()
}
