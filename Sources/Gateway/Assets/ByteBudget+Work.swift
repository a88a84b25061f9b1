internal import EventLoop
internal import HTTPServer

extension ByteBudget {
    /// What is as small as this is not reckoned with, as for requests.
    private static let small = 64 << 10
    private static let patience = Duration.seconds(10)

    /// Takes the bytes that a request's handler needs beside the request's own.
    /// - Returns: nil if they are so few that nobody counts them.
    func room(for count: Int, tenant: String, on loop: EventLoop) async throws(GatewayError) -> Lease? {
        if count <= Self.small { return nil }
        do {
            return try await reserveBeside(count, owner: tenant, on: loop, patience: Self.patience)
        } catch {
            throw GatewayError(error)
        }
    }
}
