internal import Base
internal import HTTPServer
internal import KlingAPI
internal import TaskStore

/// Makes, lists, revokes and rotates keys.
enum KeyCalls {
    static let routes = [
        AdminRoute(
            method: .get, path: "/admin/v1/keys", name: "listKeys",
            summary: "List keys, oldest first, without secrets.",
            query: [AdminMember("tenant", .text(1...64), "Only keys of this tenant.")],
            answer: AdminRoute.Answer(description: "The keys.", schema: AdminSchemas.list(ListedKey.schema)),
            handle: list),
        AdminRoute(
            method: .post, path: "/admin/v1/keys", name: "createKey",
            summary: "Make a bearer key and a pair of access key and secret key. They are shown only once.",
            body: .members([
                AdminMember(
                    "tenant", .text(1...64), "The tenant, which exists from its first key on.", isRequired: true)
            ]),
            answer: AdminRoute.Answer(status: 201, description: "The key.", schema: IssuedKey.schema), handle: create),
        AdminRoute(
            method: .post, path: "/admin/v1/keys/{id}/revoke", name: "revokeKey",
            summary: "Revoke a key. It stops working within a second.",
            answer: AdminRoute.Answer(
                description: "The key is revoked.",
                schema: AdminSchemas.object([
                    ("id", AdminSchemas.text("Its id.")), ("status", AdminSchemas.word(["revoked"], "Its status.")),
                ])),
            refusals: [404: "There is no such key."], handle: revoke),
        AdminRoute(
            method: .post, path: "/admin/v1/keys/{id}/rotate", name: "rotateKey",
            summary: "Replace a key: make a new one for the same tenant, and revoke the old one.",
            answer: AdminRoute.Answer(description: "The new key.", schema: IssuedKey.schema),
            refusals: [404: "There is no such key.", 409: "The key is revoked."], handle: rotate),
    ]

    private static func list(_ request: AdminRequest, _ parts: AdminParts) async throws -> AdminReply {
        let tenant = request.query.text("tenant")
        let keys = try await KeyIssuer.list(parts.store.keys, at: request.time)
        return .json(ListedKey.json(keys.filter { tenant == nil || $0.tenant == tenant }))
    }

    private static func create(_ request: AdminRequest, _ parts: AdminParts) async throws -> AdminReply {
        let tenant = request.body.text("tenant") ?? ""
        return .json(try await parts.issuer().issue(tenant: tenant, at: request.time).json(), status: 201)
    }

    private static func revoke(_ request: AdminRequest, _ parts: AdminParts) async throws -> AdminReply {
        try await parts.store.keys.revoke(request.id, at: request.time)
        return .json(
            JSONWriter.object { key in
                key.member("id", request.id)
                key.member("status", ListedKey.Status.revoked.rawValue)
            })
    }

    private static func rotate(_ request: AdminRequest, _ parts: AdminParts) async throws -> AdminReply {
        .json(try await parts.issuer().rotate(key: request.id, at: request.time).json())
    }
}

extension AdminParts {
    fileprivate func issuer() async throws -> KeyIssuer { KeyIssuer(keys: store.keys, vault: try await vault()) }
}

extension ListedKey {
    fileprivate static let schema = AdminSchemas.object(
        [
            ("id", AdminSchemas.text("Its id.")), ("tenant", AdminSchemas.text("Its tenant.")),
            ("access_key", AdminSchemas.text("The access key, which is not secret.")),
            ("status", AdminSchemas.word(["active", "ending", "revoked"], "Whether it works.")),
            ("created_at", AdminSchemas.time("When it was made")),
        ],
        optional: [("revoked_at", AdminSchemas.time("When it was revoked, or will be"))])
}

extension IssuedKey {
    fileprivate static let schema = AdminSchemas.object([
        ("tenant", AdminSchemas.text("Its tenant.")), ("id", AdminSchemas.text("Its id.")),
        ("key", AdminSchemas.text("The bearer key.")), ("access_key", AdminSchemas.text("The access key.")),
        ("secret_key", AdminSchemas.text("The secret key.")),
        ("webhook_secret", AdminSchemas.text("The tenant's webhook secret.")),
    ])
}
