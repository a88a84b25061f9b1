/// How many more requests keys and tenants may make, shared by all processes.
public protocol RateStore: Sendable {
    /// Changes the states of several rates in one step, which no other process is in the middle of.
    /// - Parameters:
    ///   - names: of the rates.
    ///   - body: returns the new states; called on a store thread, and again if the step is repeated. Its arguments are
    ///     the states, nil for a rate that was never used, and the time by the store's clock, in nanoseconds.
    func change<Outcome: Sendable>(
        _ names: [String], _ body: @escaping @Sendable ([RateState?], Int64) -> (states: [RateState?], outcome: Outcome)
    ) async throws(StoreError) -> Outcome
}

/// The state of a rate.
public struct RateState: Sendable, Equatable {
    /// What is left.
    public var parts: Int64
    /// When that was, by the store's clock, in nanoseconds.
    public var filledAt: Int64

    public init(parts: Int64, filledAt: Int64) { (self.parts, self.filledAt) = (parts, filledAt) }
}
