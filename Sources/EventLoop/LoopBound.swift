/// Carries a value that is not `Sendable` through code that requires it. The value is only accessed and released on its
/// loop.
@safe public final class LoopBound<Value>: @unchecked Sendable {
    // @unchecked: `value` traps on any thread but the loop's, and `deinit` leaves the last release to the loop.
    private let loop: EventLoop
    // Unmanaged, because a stored reference would be released on the thread that runs `deinit`, perhaps as the last
    // one.
    private let box: Unmanaged<Box>

    private final class Box {
        let value: Value
        init(_ value: Value) { self.value = value }
    }

    /// Binds `value` to `loop`. Call it on the loop's thread.
    public init(_ value: Value, to loop: EventLoop) {
        loop.assertCurrent()
        self.loop = loop
        unsafe box = .passRetained(Box(value))
    }

    deinit {
        // Retained in `init`, released here once, by the loop.
        nonisolated(unsafe) let box = unsafe box
        loop.execute { unsafe box.release() }
    }

    /// The value. Use it on the loop's thread only.
    public var value: Value {
        loop.assertCurrent()
        return unsafe box.takeUnretainedValue().value
    }
}
