internal import HTTPServer
internal import KlingAPI
internal import TaskStore

/// Shows tenants, and changes what they may do and use.
enum TenantCalls {
    static let routes = [
        AdminRoute(
            method: .get, path: "/admin/v1/tenants", name: "listTenants",
            summary: "List the tenants that have a key, settings or tasks in the store, by name.",
            answer: AdminRoute.Answer(description: "The tenants.", schema: AdminSchemas.list(AdminTenant.schema)),
            handle: list),
        AdminRoute(
            method: .get, path: "/admin/v1/tenants/{name}", name: "getTenant",
            summary: "Show a tenant, with what is used of its budgets.",
            answer: AdminRoute.Answer(description: "The tenant.", schema: AdminTenant.schema),
            refusals: [404: "There is no such tenant."], handle: show),
        AdminRoute(
            method: .patch, path: "/admin/v1/tenants/{name}", name: "changeTenant",
            summary: "Change what a tenant may do and use.",
            details: """
                Members that are not sent stay as they are; `budgets` is replaced as a whole. It holds for all keys of \
                the tenant together, those of the configuration included, within a second. The tenant need not have a \
                key yet.
                """,
            body: .members(TenantRules.members),
            answer: AdminRoute.Answer(description: "The tenant.", schema: AdminTenant.schema), handle: change),
    ]

    private static func list(_ request: AdminRequest, _ parts: AdminParts) async throws -> AdminReply {
        let keys = try await parts.store.keys.all()
        let rules = try await parts.store.keys.tenantRules()
        let known = Dictionary(rules.map { ($0.name, $0) }) { first, _ in first }
        var tenants: [AdminTenant] = []
        for name in try await parts.store.keys.tenantNames().sorted() {
            let rules = known[name] ?? TenantRules(name: name)
            tenants.append(try await AdminTenant(rules, keys, parts.store, at: request.time))
        }
        var writer = JSONWriter(capacity: tenants.count * 256)
        writer.array { list in
            for tenant in tenants { list.object { tenant.write(to: &$0, at: request.time) } }
        }
        return .json(writer.bytes)
    }

    private static func show(_ request: AdminRequest, _ parts: AdminParts) async throws -> AdminReply {
        let name = try request.tenant
        guard try await parts.store.keys.tenantNames().contains(name) else {
            throw AdminError(404, "no such tenant: \(name)", parameter: "name")
        }
        return try await reply(name, request, parts)
    }

    private static func change(_ request: AdminRequest, _ parts: AdminParts) async throws -> AdminReply {
        let name = try request.tenant
        try await change(name, by: request.body, request, parts)
        return try await reply(name, request, parts)
    }

    /// Changes the rules of a tenant, if the body has any.
    static func change(
        _ name: String, by body: AdminValues, _ request: AdminRequest, _ parts: AdminParts
    ) async throws {
        let before = try await rules(of: name, parts)
        let after = try before.changed(by: body)
        if after == before { return }
        let entry = request.entry(
            "tenants.edit", name, before: before.jsonForOperators, after: after.jsonForOperators)
        try await parts.store.audited(entry).keys.keep(after, at: request.time)
    }

    private static func reply(
        _ name: String, _ request: AdminRequest, _ parts: AdminParts
    ) async throws -> AdminReply {
        let tenant = try await AdminTenant(
            rules(of: name, parts), parts.store.keys.all(), parts.store, at: request.time)
        return .json(JSONWriter.object { tenant.write(to: &$0, at: request.time) })
    }

    /// The rules of a tenant; those that allow everything if it was given none.
    private static func rules(of name: String, _ parts: AdminParts) async throws(StoreError) -> TenantRules {
        try await parts.store.keys.tenantRules().first { $0.name == name } ?? TenantRules(name: name)
    }
}
