import GRDB
import TaskStore
import Testing

/// An outbox with more rows than are ever read at once.
@Suite(.onEventLoop) struct OutboxBacklogTests {
    private let folder = StoreFolder()
    private static let backlog = 200_000

    /// Adds callbacks of one tenant to a dead receiver, all due before the callback of another tenant.
    private func fill() async throws {
        await (try SQLiteTaskStore.open(path: folder.database)).close()
        let database = try DatabaseQueue(path: folder.database)
        try await database.write { database in
            let columns = """
                INSERT INTO deliveries (id, task, tenant, last, created_at, state, attempts, leased, next_attempt_at, url,
                body, receiver)
                """
            try database.execute(
                sql: """
                    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(Self.backlog))
                    \(columns) SELECT 'msg_' || i, CAST(printf('%016d', i) AS BLOB), 'a', 0, 1, 0, 0, 0, 1000 + i,
                    'https://dead.example/' || i, zeroblob(600), 'https://dead.example' FROM n
                    """)
            try database.execute(
                sql: """
                    \(columns) VALUES ('msg_b', zeroblob(16), 'b', 0, 1, 0, 0, 0, 9000000, 'https://alive.example/', x'01',
                    'https://alive.example')
                    """)
        }
        try database.close()
    }

    @Test func `200,000 callbacks to a dead receiver hide no other tenant's callback`() async throws {
        try await fill()
        let store = try SQLiteTaskStore.open(path: folder.database)
        let clock = ContinuousClock()
        var longest = Duration.zero
        for _ in 0..<5 {
            let start = clock.now
            #expect(try await store.outbox.nextDelivery() == 1001)
            let page = try await store.outbox.dueDeliveries(at: 9_000_000, from: OutboxPosition(), OutboxBounds())
            longest = max(longest, clock.now - start)
            #expect(page.rows.count == 33 && page.rows.last?.tenant == "b" && page.next == OutboxPosition())
        }
        print("reading an outbox of \(Self.backlog) rows takes at most \(longest)")
        let start = clock.now
        try await store.outbox.shiftDeliveries(by: -7_200_000, to: 1_800_000)
        print("following a clock that was set back takes \(clock.now - start)")
        #expect(try await store.outbox.nextDelivery() == 1001)
        let page = try await store.outbox.dueDeliveries(at: 1_800_000, from: OutboxPosition(), OutboxBounds())
        #expect(page.rows.last?.tenant == "b")
        await store.close()
    }
}
