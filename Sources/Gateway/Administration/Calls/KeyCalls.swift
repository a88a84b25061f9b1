internal import Base
internal import HTTPServer
internal import KlingAPI
internal import TaskStore

/// Makes, shows, changes, rotates and revokes keys.
enum KeyCalls {
    private static let noKey = [404: "There is no such key."]
    private static let nameMember = AdminMember("name", .text(0...100), "What people call it.")
    private static let withSecrets = AdminRoute.Answer(
        description: "The key with its secrets, which are not shown again.", schema: ListedKey.schemaWithSecrets)
    private static let key = AdminRoute.Answer(description: "The key.", schema: ListedKey.schemaForOperators)
    /// A month.
    private static let longestOverlap = 30 * 86_400

    static let routes = reading + changing

    private static let reading = [
        AdminRoute(
            method: .get, path: "/admin/v1/keys", name: "listKeys",
            summary: "List keys, oldest first, without secrets.",
            query: [AdminMember("tenant", .text(1...64), "Only keys of this tenant.")],
            answer: AdminRoute.Answer(
                description: "The keys.", schema: AdminSchemas.list(ListedKey.schemaForOperators)),
            handle: list),
        AdminRoute(
            method: .get, path: "/admin/v1/keys/{id}", name: "getKey", summary: "Show a key, without its secrets.",
            answer: key, refusals: noKey, handle: show),
    ]

    private static let changing = [
        AdminRoute(
            method: .post, path: "/admin/v1/keys", name: "createKey",
            summary: "Make a bearer key and a pair of access key and secret key. They are shown only once.",
            body: .members(
                [
                    AdminMember(
                        "tenant", .text(1...64), "The tenant, which exists from its first key on.", isRequired: true,
                        pattern: AdminMember.tenantName),
                    nameMember,
                ] + AccessRules.members + [
                    AdminMember(
                        "tenant_settings", .object(TenantRules.members), "Changes of the tenant, made first.")
                ]),
            answer: AdminRoute.Answer(
                status: 201, description: withSecrets.description, schema: withSecrets.schema),
            handle: create),
        AdminRoute(
            method: .patch, path: "/admin/v1/keys/{id}", name: "changeKey", summary: "Change a key's name and rules.",
            details: "Members that are not sent stay as they are. It takes effect within a second.",
            body: .members([nameMember] + AccessRules.members), answer: key, refusals: noKey, handle: change),
        AdminRoute(
            method: .post, path: "/admin/v1/keys/{id}/rotate", name: "rotateKey",
            summary: "Give a key new secrets. It keeps its id, rules and use.",
            body: .members([
                AdminMember(
                    "overlap_seconds", .integer(0...longestOverlap),
                    "How long its secrets before work too; not at all by default.")
            ]),
            answer: withSecrets, refusals: noKey.merging([409: "The key is revoked."]) { $1 }, handle: rotate),
        AdminRoute(
            method: .post, path: "/admin/v1/keys/{id}/revoke", name: "revokeKey",
            summary: "Revoke a key. It stops working within a second.", answer: key, refusals: noKey, handle: revoke),
    ]

    // MARK: Reading

    private static func list(_ request: AdminRequest, _ parts: AdminParts) async throws -> AdminReply {
        let tenant = request.query.text("tenant")
        let keys = try await KeyIssuer.list(parts.store.keys, at: request.time)
        var writer = JSONWriter(capacity: keys.count * 256)
        writer.array { list in
            for key in keys where tenant == nil || key.tenant == tenant {
                list.object { key.writeForOperators(to: &$0) }
            }
        }
        return .json(writer.bytes)
    }

    private static func show(_ request: AdminRequest, _ parts: AdminParts) async throws -> AdminReply {
        .json(ListedKey(try await record(request.id, parts), now: request.time).jsonForOperators)
    }

    private static func record(_ id: String, _ parts: AdminParts) async throws -> KeyRecord {
        guard let found = try await parts.store.keys.all().first(where: { $0.key.id == id }) else {
            throw KeyIssueError.noKey(id)
        }
        return found
    }

    // MARK: Changing

    private static func create(_ request: AdminRequest, _ parts: AdminParts) async throws -> AdminReply {
        let body = request.body
        let tenant = body.text("tenant") ?? ""
        guard KeyIssuer.isTenantName(tenant) else { throw KeyIssueError.badTenantName }
        let rules = try AccessRules().changed(by: body)
        let issuer = try await parts.issuer()
        if let settings = body.object("tenant_settings") {
            try await TenantCalls.change(tenant, by: settings, request, parts)
        }
        let issued = try await issuer.issue(
            tenant: tenant, name: body.text("name") ?? "", rules: rules, at: request.time,
            through: recording("keys.create", request, parts))
        return .json(issued.json(ListedKey(try await record(issued.id, parts), now: request.time)), status: 201)
    }

    private static func change(_ request: AdminRequest, _ parts: AdminParts) async throws -> AdminReply {
        let before = try await record(request.id, parts)
        var after = before
        after.key.rules = try before.key.rules.changed(by: request.body)
        if let name = request.body.text("name") { after.key.name = name }
        if after != before {
            try await recording("keys.edit", request, parts)(before, after)
                .change(request.id, name: after.key.name, rules: after.key.rules)
        }
        return try await show(request, parts)
    }

    private static func rotate(_ request: AdminRequest, _ parts: AdminParts) async throws -> AdminReply {
        let overlap = Duration.seconds(request.body.integer("overlap_seconds") ?? 0)
        let issued = try await parts.issuer().rotate(
            key: request.id, overlap: overlap, at: request.time, through: recording("keys.rotate", request, parts))
        return .json(issued.json(ListedKey(try await record(issued.id, parts), now: request.time)))
    }

    private static func revoke(_ request: AdminRequest, _ parts: AdminParts) async throws -> AdminReply {
        let before = try await record(request.id, parts)
        var after = before
        (after.revokedAt, after.previous) = (min(before.revokedAt ?? request.time, request.time), [])
        if after.revokedAt != before.revokedAt {
            try await recording("keys.revoke", request, parts)(before, after).revoke(request.id, at: request.time)
        }
        return try await show(request, parts)
    }

    /// Gives the store that writes a change of a key together with its entry in the audit log.
    private static func recording(
        _ action: String, _ request: AdminRequest, _ parts: AdminParts
    ) -> KeyIssuer.Recording {
        { before, after in
            let json = { (record: KeyRecord) in ListedKey(record, now: request.time).jsonForOperators }
            let entry = request.entry(action, after.key.id, before: before.map(json), after: json(after))
            return parts.store.audited(entry).keys
        }
    }
}

extension AdminParts {
    fileprivate func issuer() async throws -> KeyIssuer { KeyIssuer(keys: store.keys, vault: try await vault()) }
}
