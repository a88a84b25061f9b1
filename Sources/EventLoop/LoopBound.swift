/// Carries a value that is not `Sendable` through code that wants it so, and lets it be touched on its loop only.
@safe public struct LoopBound<Value>: @unchecked Sendable {
    // @unchecked: `value` traps on any thread but the loop's.
    private let loop: EventLoop
    private let bound: Value

    /// Binds `value` to `loop`, on whose thread the caller must be.
    public init(_ value: Value, to loop: EventLoop) {
        loop.assertCurrent()
        self.loop = loop
        bound = value
    }

    /// The value; on the loop's thread only.
    public var value: Value {
        loop.assertCurrent()
        return bound
    }
}
