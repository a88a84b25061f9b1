import TaskStore
import TestKit
import Testing

/// Keys, webhook secrets, and what is known about accounts.
extension StoreContractTests {
    @Test(arguments: stores)
    func `keys are stored once each and revoked once`(_ subject: Subject) async throws {
        try await with(subject) { store, _ in
            let before = try await store.keys.version()
            try await store.keys.insert(Samples.key(1))
            try await store.keys.insert(Samples.key(2))
            #expect(try await store.keys.version() > before)
            #expect(
                await failure { () throws(StoreError) in try await store.keys.insert(Samples.key(1)) } == .alreadyExists
            )
            let inserted = try await store.keys.version()
            try await store.keys.revoke("key_1", at: 5_000)
            #expect(try await store.keys.version() > inserted)
            try await store.keys.revoke("key_1", at: 6_000)
            #expect(await failure { () throws(StoreError) in try await store.keys.revoke("key_9", at: 1) } == .notFound)
            let keys = try await store.keys.all()
            #expect(keys.map(\.key) == [Samples.key(1), Samples.key(2)])
            #expect(keys.map(\.revokedAt) == [5_000, nil])
        }
    }

    @Test(arguments: stores)
    func `a tenant keeps its first secret`(_ subject: Subject) async throws {
        try await with(subject) { store, _ in
            let first = TenantRecord(name: "shop", sealedWebhookSecret: [1, 2, 3], createdAt: 1)
            let second = TenantRecord(name: "shop", sealedWebhookSecret: [4], createdAt: 2)
            let kept = [try await store.keys.tenant(orInsert: first), try await store.keys.tenant(orInsert: second)]
            #expect(kept == [first, first])
        }
    }

    @Test(arguments: stores)
    func `a rotated secret is kept beside the previous one`(_ subject: Subject) async throws {
        try await with(subject) { store, _ in
            _ = try await store.keys.tenant(
                orInsert: TenantRecord(name: "shop", sealedWebhookSecret: [1], createdAt: 1))
            let rotated = try await store.keys.rotateWebhookSecret(
                tenant: "shop", sealed: [2], previousValidUntil: 500, at: 100)
            let expected = TenantRecord(
                name: "shop", sealedWebhookSecret: [2], previousSealedWebhookSecret: [1], previousValidUntil: 500,
                createdAt: 1)
            #expect(rotated == expected)
            let unseen = TenantRecord(name: "shop", sealedWebhookSecret: [9], createdAt: 9)
            #expect(try await store.keys.tenant(orInsert: unseen) == expected)
            let again = try await store.keys.rotateWebhookSecret(
                tenant: "shop", sealed: [3], previousValidUntil: 900, at: 600)
            #expect(again.previousSealedWebhookSecret == [2] && again.previousValidUntil == 900)
            let new = try await store.keys.rotateWebhookSecret(
                tenant: "new", sealed: [4], previousValidUntil: 900, at: 600)
            #expect(new == TenantRecord(name: "new", sealedWebhookSecret: [4], createdAt: 600))
        }
    }

    @Test(arguments: stores)
    func `an account's new state replaces the old one`(_ subject: Subject) async throws {
        try await with(subject) { store, _ in
            #expect(try await store.accounts.states().isEmpty)
            let healthy = AccountStateRecord(name: "main", updatedAt: 1)
            let disabled = AccountStateRecord(
                name: "main", disabledBy: 1101, reason: "in arrears", refusedModels: ["a", "b"], learnedLimit: 5,
                hasLookup: false, updatedAt: 2)
            let other = AccountStateRecord(name: "other", hasLookup: true, updatedAt: 3)
            try await store.accounts.keep(healthy)
            #expect(try await store.accounts.states() == [healthy])
            try await store.accounts.keep(other)
            try await store.accounts.keep(disabled)
            #expect(try await store.accounts.states() == [disabled, other])
        }
    }
}
