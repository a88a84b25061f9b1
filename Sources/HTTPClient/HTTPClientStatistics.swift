/// Figures of one client, for metrics.
public struct HTTPClientStatistics: Sendable, Hashable {
    /// Connections open now, including idle ones.
    public var openConnections = 0
    /// Transfers in flight now, including those that wait for a connection.
    public var activeTransfers = 0
    /// Connections opened since the start.
    public var connectionsOpened = 0
    /// Transfers that ended with an answer.
    public var succeededTransfers = 0
    /// Transfers that ended without one.
    public var failedTransfers = 0
    /// Body bytes handed to the system or to libcurl for sending.
    public var sentBodyBytes = 0
    /// Body bytes received.
    public var receivedBodyBytes = 0
    /// Addresses that an ``AddressPolicy`` has refused.
    public var refusedAddresses = 0

    public init() {}

    /// The sum of two clients' figures, or of the two paths of one.
    static func + (left: Self, right: Self) -> Self {
        var sum = left
        sum.openConnections += right.openConnections
        sum.activeTransfers += right.activeTransfers
        sum.connectionsOpened += right.connectionsOpened
        sum.succeededTransfers += right.succeededTransfers
        sum.failedTransfers += right.failedTransfers
        sum.sentBodyBytes += right.sentBodyBytes
        sum.receivedBodyBytes += right.receivedBodyBytes
        sum.refusedAddresses += right.refusedAddresses
        return sum
    }
}
