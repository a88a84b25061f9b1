/// Carries a value that is not `Sendable` through code that wants it so: it is touched, and let go of, on its loop only.
@safe public final class LoopBound<Value>: @unchecked Sendable {
    // @unchecked: `value` traps on any thread but the loop's, and `deinit` sends the value there.
    private let loop: EventLoop
    private let bound: Value

    /// Binds `value` to `loop`, on whose thread the caller must be.
    public init(_ value: Value, to loop: EventLoop) {
        loop.assertCurrent()
        self.loop = loop
        bound = value
    }

    deinit {
        // Nobody else has it any more: it may travel once.
        nonisolated(unsafe) let last = bound
        loop.execute { withExtendedLifetime(unsafe last) {} }
    }

    /// The value; on the loop's thread only.
    public var value: Value {
        loop.assertCurrent()
        return bound
    }
}
