internal import Base
internal import KlingAPI
internal import TaskStore

/// Keys as operators see them.
extension ListedKey {
    /// Writes the members of the key.
    func writeForOperators(to writer: inout JSONWriter) {
        writer.member("id", id)
        writer.member("tenant", tenant)
        writer.member("access_key", accessKey)
        writeRest(to: &writer)
    }

    /// Writes the members that a new key's secrets do not have.
    func writeRest(to writer: inout JSONWriter) {
        writer.member("status", status.rawValue)
        writer.member("created_at", Int(createdAt))
        if let revokedAt { writer.member("revoked_at", Int(revokedAt)) }
        writer.member("name", name)
        writer.member("prefix", prefix)
        if let lastUsedAt { writer.member("last_used_at", Int(lastUsedAt)) }
        if let previousUntil { writer.member("previous_until", Int(previousUntil)) }
        rules.write(to: &writer)
    }

    /// The key as JSON.
    var jsonForOperators: [UInt8] { JSONWriter.object { writeForOperators(to: &$0) } }

    private static let members: [(String, JSONLiteral)] = [
        ("id", AdminSchemas.text("Its id, which it keeps when it is rotated.")),
        ("tenant", AdminSchemas.text("Its tenant.")),
        ("access_key", AdminSchemas.text("The access key, which is not secret.")),
        ("status", AdminSchemas.word(Status.allCases.map(\.rawValue), "Whether it works.")),
        ("created_at", AdminSchemas.time("When it was made")),
        ("name", AdminSchemas.text("What people call it.")),
        ("prefix", AdminSchemas.text("The first characters of the bearer key.")),
    ]

    private static let optional: [(String, JSONLiteral)] =
        [
            ("revoked_at", AdminSchemas.time("When it was revoked, or will be")),
            ("last_used_at", AdminSchemas.time("When it was last used, to within a minute")),
            ("previous_until", AdminSchemas.time("Until when its secrets before the last rotation work")),
        ] + AccessRules.schemas

    /// The JSON Schema of ``writeForOperators(to:)``.
    static let schemaForOperators = AdminSchemas.object(members + AccessRules.required, optional: optional)

    /// The JSON Schema of a key with its secrets.
    static let schemaWithSecrets = schemaForOperators.withMembers([
        ("key", AdminSchemas.text("The bearer key.")), ("secret_key", AdminSchemas.text("The secret key.")),
        ("webhook_secret", AdminSchemas.text("The tenant's webhook secret.")),
    ])
}

extension IssuedKey {
    /// The key with its secrets, which are shown once.
    func json(_ key: ListedKey) -> [UInt8] {
        JSONWriter.object { writer in
            writer.member("tenant", tenant)
            writer.member("id", id)
            writer.member("key", self.key.reveal())
            writer.member("access_key", accessKey)
            writer.member("secret_key", secretKey.reveal())
            writer.member("webhook_secret", webhookSecret.reveal())
            key.writeRest(to: &writer)
        }
    }
}
