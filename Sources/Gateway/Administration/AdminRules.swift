internal import Base
internal import KlingAPI
internal import TaskStore

/// What keys and tenants may do, as members of bodies and answers.
extension AccessRules {
    /// The members by which the rules are set. Null removes a limit.
    static let members = [
        AdminMember(
            "requests_per_minute", .integer(1...1_000_000), "Requests per minute; null: no limit.", isNullable: true),
        AdminMember(
            "concurrency", .integer(1...1_000_000), "Tasks that run at once; null: no limit.", isNullable: true),
        AdminMember("models", .texts(100), "The models that creates may name; none or null: all.", isNullable: true),
        AdminMember(
            "addresses", .texts(100), "Addresses and ranges that requests may come from; none or null: all.",
            isNullable: true),
        AdminMember("expires_at", .integer(AdminMember.times), "When it ends; null: never.", isNullable: true),
        AdminMember("disabled", .flag, "Whether it is switched off for now."),
    ]

    /// The rules with the members of a body in place of those before.
    func changed(by body: AdminValues) throws(AdminError) -> AccessRules {
        var rules = self
        if body.has("requests_per_minute") { rules.requestsPerMinute = body.integer("requests_per_minute") }
        if body.has("concurrency") { rules.concurrency = body.integer("concurrency") }
        if body.has("models") { rules.models = body.texts("models") ?? [] }
        if body.has("addresses") { rules.addresses = try Self.addresses(body.texts("addresses") ?? []) }
        if body.has("expires_at") { rules.expiresAt = body.integer("expires_at").map(Int64.init) }
        if body.has("disabled") { rules.isDisabled = body.flag("disabled") }
        return rules
    }

    private static func addresses(_ texts: [String]) throws(AdminError) -> [String] {
        for (index, text) in texts.enumerated() where CIDR(text) == nil {
            throw .value("addresses[\(index)]", "must be an IP address or a range, such as 192.0.2.0/24")
        }
        return texts
    }

    /// Writes the members.
    func write(to writer: inout JSONWriter) {
        if let requestsPerMinute { writer.member("requests_per_minute", requestsPerMinute) }
        if let concurrency { writer.member("concurrency", concurrency) }
        writer.array("models") { list in
            for model in models { list.string(model) }
        }
        writer.array("addresses") { list in
            for address in addresses { list.string(address) }
        }
        if let expiresAt { writer.member("expires_at", Int(expiresAt)) }
        writer.member("disabled", isDisabled)
    }

    /// The members that ``write(to:)`` always writes.
    static let required: [(String, JSONLiteral)] = [
        ("models", AdminSchemas.texts("The models that creates may name; none: all.")),
        ("addresses", AdminSchemas.texts("The addresses that requests may come from; none: all.")),
        ("disabled", AdminSchemas.flag("Whether it is switched off for now.")),
    ]

    /// The members that it may write.
    static let schemas: [(String, JSONLiteral)] = [
        ("requests_per_minute", AdminSchemas.integer("Requests per minute; absent: no limit.")),
        ("concurrency", AdminSchemas.integer("Tasks that run at once; absent: no limit.")),
        ("expires_at", AdminSchemas.time("When it ends; absent: never")),
    ]
}
