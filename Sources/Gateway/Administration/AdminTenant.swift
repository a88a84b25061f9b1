internal import KlingAPI
internal import TaskStore

/// A tenant as operators see it.
struct AdminTenant: Sendable {
    let rules: TenantRules
    /// The budgets with what is used of them.
    let uses: [BudgetUse]
    /// How many of its keys are not revoked.
    let keys: Int
    /// When its first key was made, in milliseconds since 1970; nil if it has none in the store.
    let createdAt: Int64?

    private var zone: DayZone { DayZone.named(rules.timeZone) ?? .utc }

    /// Reads what is used of a tenant's budgets.
    init(_ rules: TenantRules, _ keys: [KeyRecord], _ store: any TaskStore, at now: Int64) async throws(StoreError) {
        self.rules = rules
        let own = keys.filter { $0.key.tenant == rules.name }
        self.keys = own.count { $0.revokedAt.map { $0 > now } ?? true }
        createdAt = own.map(\.key.createdAt).min()
        let zone = DayZone.named(rules.timeZone) ?? .utc
        uses = rules.budgets.isEmpty ? [] : try await store.usage.budgets(of: rules.name, on: zone.day(of: now))
    }

    /// Writes the members of the tenant.
    func write(to writer: inout JSONWriter, at now: Int64) {
        writer.member("name", rules.name)
        rules.writeSettings(to: &writer)
        writer.array("budgets") { budgets in
            for use in uses { budgets.object { BudgetView.write(use, in: zone, at: now, to: &$0) } }
        }
        if let createdAt { writer.member("created_at", Int(createdAt)) }
        writer.member("keys", keys)
    }

    static let schema = AdminSchemas.object(
        [
            ("name", AdminSchemas.text("Its name.")),
            ("time_zone", AdminSchemas.text("The zone in which its days begin.")),
            ("budgets", AdminSchemas.list(AdminMember.schema(of: Budget.members))),
            ("keys", AdminSchemas.integer("How many of its keys are not revoked.")),
        ] + AccessRules.required,
        optional: AccessRules.schemas + [("created_at", AdminSchemas.time("When its first key was made"))])
}

extension TenantRules {
    /// The members by which a tenant's rules are set.
    static let members =
        [
            AdminMember(
                "time_zone", .text(1...64), "The zone in which its days begin: a name of the IANA database.",
                pattern: "^(UTC|[A-Za-z_]+(/[A-Za-z0-9_+-]+)+)$")
        ]
        + AccessRules.members
        + [
            AdminMember(
                "budgets", .objects(8, Budget.members), "What its tasks may use; replaces all budgets before.")
        ]

    /// The rules with the members of a body in place of those before.
    func changed(by body: AdminValues) throws(AdminError) -> TenantRules {
        var rules = self
        rules.access = try access.changed(by: body)
        if let zone = body.text("time_zone") {
            guard DayZone.named(zone) != nil else {
                throw .value("time_zone", "must be UTC or a name of the IANA database, such as Europe/Berlin")
            }
            rules.timeZone = zone
        }
        if let budgets = body.objects("budgets") { rules.budgets = try Budget.all(budgets, name: "budgets") }
        return rules
    }

    fileprivate func writeSettings(to writer: inout JSONWriter) {
        writer.member("time_zone", timeZone)
        access.write(to: &writer)
    }

    /// The settings as JSON, for the audit log.
    var jsonForOperators: [UInt8] {
        JSONWriter.object { writer in
            writeSettings(to: &writer)
            writer.array("budgets") { list in
                for budget in budgets { list.object { BudgetView.write(budget, to: &$0) } }
            }
        }
    }
}
