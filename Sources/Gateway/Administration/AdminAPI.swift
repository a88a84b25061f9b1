internal import Base
internal import HTTPServer

/// The administration API: answers calls by the table of routes, wherever they come from.
public struct AdminAPI: Sendable {
    private let parts: AdminParts

    /// Creates the API of a gateway, or of a command that works on the store.
    public init(_ parts: AdminParts) { self.parts = parts }

    /// Every call there is.
    static let routes =
        InstanceCalls.routes + OverviewCalls.routes + AccountCalls.routes + KeyCalls.routes + TenantCalls.routes
        + WebhookCalls.routes + TaskCalls.routes + TryOnCalls.routes + DeliveryCalls.routes + UsageCalls.routes
        + AuditCalls.routes

    /// The path under which all calls are.
    static let prefix = "/admin/v1/"

    /// The most bytes that the body of such a call may have.
    /// - Throws: 404 or 405.
    func bodyLimit(_ method: HTTPMethod, _ path: String) throws(AdminError) -> Int {
        try AdminMatch.find(method, path, in: Self.routes).route.bodyLimit
    }

    /// Answers a call. A call that is refused changes nothing.
    public func answer(_ call: AdminCall) async -> AdminReply {
        do {
            let match = try AdminMatch.find(call.method, call.path, in: Self.routes)
            return try await match.route.handle(AdminRequest(match, call, at: WallClock.milliseconds), parts)
        } catch {
            return AdminError(error).reply
        }
    }
}
