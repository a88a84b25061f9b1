internal import GatewayConfiguration
internal import HTTPServer
internal import KlingAPI
internal import TaskStore

/// Shows the accounts at Kling.
enum AccountCalls {
    static let routes = [
        AdminRoute(
            method: .get, path: "/admin/v1/accounts", name: "listAccounts",
            summary: "List the accounts at Kling, in the order of the configuration.",
            answer: AdminRoute.Answer(description: "The accounts.", schema: AdminSchemas.list(AdminAccount.schema)),
            handle: list)
    ]

    private static func list(_ request: AdminRequest, _ parts: AdminParts) async throws -> AdminReply {
        let accounts = try await accounts(parts)
        var writer = JSONWriter()
        writer.array { list in
            for account in accounts { list.object { account.write(to: &$0) } }
        }
        return .json(writer.bytes)
    }

    /// Every account of the configuration.
    static func accounts(_ parts: AdminParts) async throws(StoreError) -> [AdminAccount] {
        let records = try await parts.store.accounts.states()
        let live = parts.live?.accounts ?? []
        return parts.upstreams.map { upstream in
            AdminAccount(
                upstream, records.first { $0.name == upstream.name }, live: live.first { $0.name == upstream.name })
        }
    }
}
