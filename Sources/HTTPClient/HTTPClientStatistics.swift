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
    /// Body bytes handed to libcurl for sending.
    public var sentBodyBytes = 0
    /// Body bytes received.
    public var receivedBodyBytes = 0
    /// Addresses that an ``AddressPolicy`` has refused.
    public var refusedAddresses = 0

    public init() {}
}
