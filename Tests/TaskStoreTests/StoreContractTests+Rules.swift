import TaskStore
import Testing

/// What keys and tenants may do, and the audit log.
extension StoreContractTests {
    static let rules = AccessRules(
        requestsPerMinute: 60, concurrency: 3, models: ["a", "b"], addresses: ["192.0.2.0/24"], expiresAt: 9_000,
        isDisabled: true)

    @Test(arguments: stores)
    func `a key keeps its name, rules and last use`(_ subject: Subject) async throws {
        try await with(subject) { store, _ in
            var key = Samples.key(1)
            (key.name, key.rules) = ("checkout", Self.rules)
            try await store.keys.insert(key)
            #expect(try await store.keys.all() == [KeyRecord(key: key, revokedAt: nil)])
            let version = try await store.keys.version()
            try await store.keys.noteUses(["key_1": 7_000, "static_1": 8_000])
            try await store.keys.noteUses(["key_1": 6_000])
            #expect(try await store.keys.version() == version, "a use is no change of a key")
            (key.name, key.rules) = ("till", AccessRules(concurrency: 1))
            try await store.keys.change("key_1", name: "till", rules: key.rules)
            #expect(try await store.keys.version() > version)
            #expect(try await store.keys.all() == [KeyRecord(key: key, revokedAt: nil, lastUsedAt: 7_000)])
            let missing = await failure { () throws(StoreError) in
                try await store.keys.change("key_2", name: "", rules: AccessRules())
            }
            #expect(missing == .notFound)
        }
    }

    @Test(arguments: stores)
    func `a rotated key has its old secrets until they end, and none once it is revoked`(
        _ subject: Subject
    ) async throws {
        try await with(subject) { store, _ in
            try await store.keys.insert(Samples.key(1))
            let version = try await store.keys.version()
            try await store.keys.rotate("key_1", to: Samples.secrets(2), previousValidUntil: 500, at: 100)
            try await store.keys.rotate("key_1", to: Samples.secrets(3), previousValidUntil: 900, at: 200)
            #expect(try await store.keys.version() > version)
            var key = try #require(try await store.keys.all().first)
            #expect(key.key.secrets == Samples.secrets(3) && key.key.id == "key_1")
            #expect(
                key.previous == [
                    PreviousSecrets(Samples.secrets(1), validUntil: 500),
                    PreviousSecrets(Samples.secrets(2), validUntil: 900),
                ])
            // Without an overlap, nothing is kept; what has ended is removed.
            try await store.keys.rotate("key_1", to: Samples.secrets(4), previousValidUntil: 600, at: 600)
            key = try #require(try await store.keys.all().first)
            #expect(key.previous == [PreviousSecrets(Samples.secrets(2), validUntil: 900)])
            try await store.keys.revoke("key_1", at: 700)
            key = try #require(try await store.keys.all().first)
            #expect(key.previous.isEmpty && key.revokedAt == 700)
            let refused = await failure { () throws(StoreError) in
                try await store.keys.rotate("key_1", to: Samples.secrets(5), previousValidUntil: 0, at: 800)
            }
            #expect(refused == .stale)
        }
    }

    @Test(arguments: stores)
    func `a tenant's rules replace the ones before, budgets included`(_ subject: Subject) async throws {
        try await with(subject) { store, _ in
            let version = try await store.keys.version()
            let first = TenantRules(
                name: "shop", access: Self.rules, timeZone: "Europe/Berlin",
                budgets: [
                    Budget(.tasks, per: .month, limit: 60, warnAtPercent: 80, raise: Budget.Raise(limit: 90, until: 5)),
                    Budget(.units, per: .total, limit: 500_000),
                ])
            try await store.keys.keep(first, at: 1)
            #expect(try await store.keys.tenantRules() == [first])
            #expect(try await store.keys.version() > version)
            let second = TenantRules(name: "shop", budgets: [Budget(.tasks, per: .day, limit: 1)])
            try await store.keys.keep(second, at: 2)
            try await store.keys.keep(TenantRules(name: "atelier"), at: 3)
            #expect(try await store.keys.tenantRules() == [TenantRules(name: "atelier"), second])
            #expect(try await store.keys.tenantNames() == ["atelier", "shop"])
        }
    }

    @Test(arguments: stores)
    func `an audited write and its entry are made together or not at all`(_ subject: Subject) async throws {
        try await with(subject) { store, _ in
            let entry = AuditEntry(
                who: "token", from: "192.0.2.1", action: "keys.create", target: "key_1", after: "{}", at: 5)
            try await store.audited(entry).keys.insert(Samples.key(1))
            // The second insert fails, and so its entry is not written.
            let repeated = await failure { () throws(StoreError) in
                try await store.audited(entry).keys.insert(Samples.key(1))
            }
            #expect(repeated == .alreadyExists)
            var other = entry
            (other.action, other.target, other.before) = ("keys.revoke", "key_2", "{\"status\":\"active\"}")
            try await store.keys.insert(Samples.key(2))
            try await store.audited(other).keys.revoke("key_2", at: 6)
            let all = try await store.audit.entries(before: nil, target: nil, limit: 10)
            #expect(all.map(\.entry) == [other, entry] && all.map(\.number) == [2, 1])
            #expect(try await store.audit.entries(before: 2, target: nil, limit: 10).map(\.entry) == [entry])
            #expect(try await store.audit.entries(before: nil, target: "key_2", limit: 10).map(\.entry) == [other])
            #expect(try await store.audit.entries(before: nil, target: nil, limit: 1).map(\.entry) == [other])
        }
    }
}
