import TaskStore
import TestKit
import Testing

/// A store whose URL names two servers: the primary, and a standby. Each commit waits until the standby has applied it.
@Suite(.onEventLoop, .serialized, .aFewAtATime, .needsPostgres) struct PostgresFailoverTests {
    private let primary: PostgresServer
    private let standby: PostgresServer
    private let store: any TaskStore

    init() async throws {
        primary = try await PostgresServer(settings: ["synchronous_commit": "remote_apply"])
        _ = try await primary.makeDatabase("shop")
        standby = try await primary.makeStandby(isSynchronous: true)
        let url = PostgresServer.url(ofDatabase: "shop", on: [primary, standby])
        store = try await blocking {
            var options = PostgresTaskStore.Options()
            // A failover on a busy machine.
            options.patience = .seconds(60)
            return try PostgresTaskStore.open(url: url, options: options, servingAs: "one")
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func `a store goes on at the standby that is promoted, with what was committed`() async throws {
        var samples = Samples()
        let (before, during, after) = (samples.task(), samples.task(), samples.task())
        try await store.begin(before)
        let number = try #require(store.replicas).number
        try await primary.kill()
        #expect(await failure { () throws(StoreError) in try await store.begin(during) } == .unavailable)
        #expect(await failure { () throws(StoreError) in try await store.task(before.id) } == .unavailable)
        try await standby.promote()
        try await store.begin(after)
        #expect(try await store.unfinished(after: nil, limit: 10).map(\.id) == [before.id, after.id])
        #expect(try await store.task(during.id) == nil)
        #expect(try await #require(store.replicas).all().map(\.number) == [number])
        await store.close()
    }

    @Test(.timeLimit(.minutes(5)))
    func `a commit that only the primary had is not taken for the one that has its number next`() async throws {
        var samples = Samples()
        let (before, lost) = (samples.task(), samples.task())
        try await store.begin(before)
        try await standby.stop(.immediate)
        let store = store
        async let outcome = failure { () throws(StoreError) in try await store.begin(lost) }
        try await primary.waitForCommits(areReceived: false)
        try await primary.kill()
        try await standby.start()
        // The store's own beats take the numbers that follow.
        try await standby.promote()
        // It is repeated, which succeeds if the standby takes writes by then.
        let made = await outcome == nil ? [before.id, lost.id] : [before.id]
        #expect(try await store.unfinished(after: nil, limit: 10).map(\.id) == made)
        await store.close()
    }

    @Test(.timeLimit(.minutes(5)))
    func `a commit that the standby has is reported as made, although the primary never said so`() async throws {
        var samples = Samples()
        let (before, made) = (samples.task(), samples.task())
        try await store.begin(before)
        try await standby.stopReplay()
        let store = store
        async let outcome = failure { () throws(StoreError) in try await store.begin(made) }
        try await primary.waitForCommits()
        try await primary.kill()
        try await standby.promote()
        #expect(await outcome == nil)
        #expect(try await store.unfinished(after: nil, limit: 10).map(\.id) == [before.id, made.id])
        await store.close()
    }
}
