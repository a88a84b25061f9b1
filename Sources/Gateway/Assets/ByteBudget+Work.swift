internal import EventLoop
internal import HTTPServer

extension ByteBudget {
    /// Sizes up to this don't count against the budget, as for requests.
    private static let small = 64 << 10
    private static let patience = Duration.seconds(10)

    /// Reserves the bytes that a request's handler needs in addition to the request's body.
    /// - Returns: nil if they are too few to count.
    func room(for count: Int, tenant: String) async throws(GatewayError) -> Lease? {
        if count <= Self.small { return nil }
        do {
            return try await reserveAdditional(count, owner: tenant, patience: Self.patience)
        } catch {
            throw GatewayError(error)
        }
    }
}
