/// What a task costs its tenant: an estimate until it has ended, then what Kling says that it has deducted.
public struct Charge: Sendable, Equatable {
    /// Millionths of the units of Kling's packs.
    public var units: Int64
    /// Millionths of ``currency``.
    public var cash: Int64
    /// The currency of ``cash``, such as `USD`; empty if none was paid.
    public var currency: String

    public init(units: Int64 = 0, cash: Int64 = 0, currency: String = "") {
        self.units = units
        self.cash = cash
        self.currency = currency
    }
}
