import Base
import KlingAPI
import TaskStore
import Testing

@testable import Gateway

struct AccessTests {
    @Test(
        arguments: [
            ([], .missing), ([""], .missing), (["Bearer"], .missing), (["Bearer "], .missing),
            (["Basic c2s6"], .malformed), (["sk-key"], .schemeMissing), (["Bearersk-key"], .malformed),
            (["Bearer sk key"], .malformed), (["Bearer sk\tkey"], .malformed), (["Bearer sk-ké"], .malformed),
            (["Bearer sk\u{7F}"], .malformed), (["Bearer " + String(repeating: "a", count: 4090)], .malformed),
            (["Bearer a", "Bearer a"], .malformed), (["Bearer ey.a.b"], .token(.malformed)),
        ] as [([String], AccessRefusal)])
    func `a missing or malformed key is refused without asking the store`(
        values: [String], refusal: AccessRefusal
    ) async throws {
        let fixture = try Fixture()
        await #expect(throws: refusal) { _ = try await fixture.access.authenticate(authorization: values) }
        #expect(fixture.store.state.withLock { $0.versionLooks } == 0)
    }

    @Test func `a static key needs no store, with the scheme in any case`() async throws {
        let limits = Principal.Limits(requestsPerMinute: 60, concurrency: 2)
        let key = StaticKey(key: Secret("sk-static"), tenant: "shop", limits: limits)
        let fixture = try Fixture(staticKeys: [key, StaticKey(key: Secret("sk-own"))])
        fixture.store.state.withLock { $0.isBroken = true }
        for scheme in ["Bearer", "bearer", "BEARER"] {
            let principal = try await fixture.access.authenticate(authorization: ["\(scheme) sk-static"])
            #expect(principal.tenant == "shop" && principal.limits == limits)
        }
        let own = try await fixture.ask(Secret("sk-own")).tenant
        #expect(own.hasPrefix("key-") && own.utf8.count == 12)
        #expect(fixture.store.state.withLock { $0.versionLooks } == 0)
    }

    @Test func `a new key works at once, and from then on without the store`() async throws {
        let fixture = try Fixture()
        try await fixture.access.load()
        let issued = try await fixture.issuer.issue(tenant: "shop", at: fixture.time.wall)
        #expect(try await fixture.ask(issued.key).keyID == issued.id)
        let looks = fixture.store.state.withLock { $0.versionLooks }
        #expect(try await fixture.ask(issued.key).tenant == "shop")
        #expect(fixture.store.state.withLock { $0.versionLooks } == looks)
    }

    @Test func `a revoked key is refused after the next refresh, even if the clock is set back`() async throws {
        let fixture = try Fixture()
        let issued = try await fixture.issuer.issue(tenant: "shop", at: fixture.time.wall)
        try await fixture.access.load()
        try await fixture.store.revoke(issued.id, at: fixture.time.wall)
        #expect(try await fixture.ask(issued.key).keyID == issued.id)
        fixture.time.pass(.milliseconds(500))
        await fixture.access.refresh()
        await #expect(throws: AccessRefusal.unknown) { _ = try await fixture.ask(issued.key) }
        fixture.time.wallOffset.store(-3_600_000, ordering: .relaxed)
        _ = try await fixture.issuer.issue(tenant: "other", at: fixture.time.wall)
        await fixture.access.refresh()
        await #expect(throws: AccessRefusal.unknown) { _ = try await fixture.ask(issued.key) }
    }

    @Test func `a key that ends later stops when the clock jumps past it, and works when it is back`() async throws {
        let fixture = try Fixture()
        let issued = try await fixture.issuer.issue(tenant: "shop", at: fixture.time.wall)
        try await fixture.store.revoke(issued.id, at: fixture.time.wall + 3_600_000)
        try await fixture.access.load()
        #expect(try await fixture.ask(issued.key).keyID == issued.id)
        fixture.time.wallOffset.store(7_200_000, ordering: .relaxed)
        await #expect(throws: AccessRefusal.unknown) { _ = try await fixture.ask(issued.key) }
        // The table is reloaded in between.
        _ = try await fixture.issuer.issue(tenant: "other", at: fixture.time.wall)
        fixture.time.pass(.milliseconds(500))
        await fixture.access.refresh()
        await #expect(throws: AccessRefusal.unknown) { _ = try await fixture.ask(issued.key) }
        fixture.time.wallOffset.store(0, ordering: .relaxed)
        #expect(try await fixture.ask(issued.key).keyID == issued.id)
    }

    @Test func `rows read before a revocation do not outlive the next refresh`() async throws {
        let fixture = try Fixture()
        let issued = try await fixture.issuer.issue(tenant: "shop", at: fixture.time.wall)
        let (store, wall) = (fixture.store, fixture.time.wall)
        store.state.withLock { $0.onRowsRead = { store.revokeNow(issued.id, at: wall) } }
        try await fixture.access.load()
        #expect(try await fixture.ask(issued.key).keyID == issued.id)
        await fixture.access.refresh()
        await #expect(throws: AccessRefusal.unknown) { _ = try await fixture.ask(issued.key) }
    }

    @Test func `older rows never replace a newer table`() async throws {
        let fixture = try Fixture()
        let issued = try await fixture.issuer.issue(tenant: "shop", at: fixture.time.wall)
        let (store, wall, access) = (fixture.store, fixture.time.wall, fixture.access)
        // The first reader holds rows from before the revocation while a second one reads and installs newer ones.
        let (reached, reach) = AsyncStream<Void>.makeStream()
        let gate = Gate()
        store.state.withLock {
            $0.onRowsRead = {
                store.revokeNow(issued.id, at: wall)
                reach.yield()
                gate.wait()
            }
        }
        let slow = Task.detached { try await access.load() }
        for await _ in reached { break }
        await access.refresh()
        gate.open()
        try await slow.value
        await #expect(throws: AccessRefusal.unknown) { _ = try await fixture.ask(issued.key) }
    }

    @Test func `50 000 wrong keys read the store's version at most once in 20 ms`() async throws {
        let fixture = try Fixture()
        try await fixture.access.load()
        let start = fixture.time.now
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<50 {
                group.addTask {
                    for index in 0..<1000 { _ = try? await fixture.ask(Secret("sk-wrong-\(worker)-\(index)")) }
                }
            }
        }
        let passed = fixture.time.now - start
        let looks = fixture.store.state.withLock { $0.versionLooks }
        #expect(looks - 1 <= Int(passed.nanoseconds / 20_000_000) + 1)
        #expect(fixture.store.state.withLock { $0.rowReads } == 1)
    }

    @Test func `known keys work for five minutes without the store, and again once it is back`() async throws {
        let fixture = try Fixture()
        let issued = try await fixture.issuer.issue(tenant: "shop", at: fixture.time.wall)
        try await fixture.access.load()
        fixture.store.state.withLock { $0.isBroken = true }
        fixture.time.pass(.seconds(300))
        #expect(try await fixture.ask(issued.key).keyID == issued.id)
        await #expect(throws: AccessRefusal.unavailable) { _ = try await fixture.ask(Secret("sk-other")) }
        fixture.time.pass(.seconds(1))
        await #expect(throws: AccessRefusal.unavailable) { _ = try await fixture.ask(issued.key) }
        fixture.store.state.withLock { $0.isBroken = false }
        #expect(try await fixture.ask(issued.key).keyID == issued.id)
    }

    @Test func `a rotated key works until its grace period ends`() async throws {
        let fixture = try Fixture()
        let old = try await fixture.issuer.issue(tenant: "shop", at: fixture.time.wall)
        let new = try await fixture.issuer.rotate(key: old.id, overlap: .seconds(60), at: fixture.time.wall)
        try await fixture.access.load()
        #expect(new.webhookSecret == old.webhookSecret && new.tenant == "shop" && new.id == old.id)
        #expect(try await KeyIssuer.list(fixture.store, at: fixture.time.wall).map(\.previousUntil) != [nil])
        fixture.time.pass(.milliseconds(59_999))
        #expect(try await fixture.ask(old.key).keyID == old.id)
        fixture.time.pass(.milliseconds(1))
        await #expect(throws: AccessRefusal.unknown) { _ = try await fixture.ask(old.key) }
        #expect(try await fixture.ask(new.key).keyID == new.id)
        let listed = try await KeyIssuer.list(fixture.store, at: fixture.time.wall)
        #expect(listed.map(\.status) == [.active] && listed.map(\.previousUntil) == [nil])
    }

    @Test(
        arguments: [
            (0, true, nil), (3600, true, .token(.notYetValid)), (-7200, true, .token(.expired)),
            (0, false, .token(.signature)),
        ] as [(Int, Bool, AccessRefusal?)])
    func `validates a token's signature, validity period and key`(
        shift: Int, isOwn: Bool, refusal: AccessRefusal?
    ) async throws {
        let fixture = try Fixture()
        try await fixture.access.load()
        let issued = try await fixture.issuer.issue(tenant: "shop", at: fixture.time.wall)
        let signer = TokenSigner(accessKey: issued.accessKey, secretKey: isOwn ? issued.secretKey : Secret("other"))
        let token = Secret(signer.token(now: Int(fixture.time.wall / 1000) + shift))
        if let refusal {
            await #expect(throws: refusal) { _ = try await fixture.ask(token) }
        } else {
            #expect(try await fixture.ask(token).keyID == issued.id)
            fixture.store.revokeNow(issued.id, at: fixture.time.wall)
            await fixture.access.refresh()
            await #expect(throws: AccessRefusal.unknown) { _ = try await fixture.ask(token) }
        }
    }

    @Test func `an access key that is sent as a bearer key is distinguished from an unknown key`() async throws {
        let fixture = try Fixture()
        let issued = try await fixture.issuer.issue(tenant: "shop", at: fixture.time.wall)
        await #expect(throws: AccessRefusal.accessKey) { _ = try await fixture.ask(Secret(issued.accessKey)) }
        await #expect(throws: AccessRefusal.unknown) { _ = try await fixture.ask(Secret(issued.accessKey + "0")) }
        try await fixture.store.revoke(issued.id, at: fixture.time.wall)
        fixture.time.pass(.milliseconds(500))
        await #expect(throws: AccessRefusal.unknown) { _ = try await fixture.ask(Secret(issued.accessKey)) }
    }

    @Test func `loading detects a store sealed with another master key`() async throws {
        let fixture = try Fixture()
        _ = try await fixture.issuer.issue(tenant: "shop", at: fixture.time.wall)
        let other = Vault(try MasterKey(Secret("another master key")))
        let access = Access(staticKeys: [], keys: fixture.store, vault: other)
        let error = await #expect(throws: VaultError.self) { try await access.load() }
        #expect(error?.description.hasPrefix("the master key does not fit the store: ") == true)
    }
}
