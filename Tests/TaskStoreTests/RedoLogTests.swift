import Base
import Foundation
import GRDB
import TaskStore
import TestKit
import Testing

/// What the store of a process that serves keeps in its redo log, and what a crash leaves of it.
@Suite(.onEventLoop) struct RedoLogTests {
    private let folder = StoreFolder()

    private let lock: ServeLock

    init() throws { lock = try ServeLock(store: folder.database) }

    /// A store whose database follows the redo log only when a test reads.
    private func open(_ path: String? = nil, _ lock: ServeLock? = nil, limit: Int = 16 << 20) throws -> any TaskStore {
        var options = SQLiteTaskStore.Options()
        (options.databaseDelay, options.syncDelay) = (.seconds(3600), .seconds(3600))
        options.lockTimeout = .seconds(1)
        options.logBytes = limit
        return try SQLiteTaskStore.open(
            path: path ?? folder.database, options: options, serving: lock ?? self.lock, deliveries: Samples.deliveries,
            jobDeliveries: Samples.jobDeliveries)
    }

    /// The files of a store that is still open, as a crash would leave them.
    private func crashed(_ suffixes: [String] = ["", "-wal", "-redo"]) throws -> StoreFolder {
        let copy = StoreFolder()
        for suffix in suffixes {
            try FileManager.default.copyItem(atPath: folder.database + suffix, toPath: copy.database + suffix)
        }
        return copy
    }

    private func count(_ folder: StoreFolder) async throws -> Int? {
        let database = try DatabaseQueue(path: folder.database)
        return try await database.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM tasks") }
    }

    /// Runs `body` while a trigger ends the whole transaction of a write for the tenant `poison`, as a full disk may.
    private func withPoison(_ body: () async throws -> Void) async throws {
        let other = try DatabaseQueue(path: folder.database)
        try await other.write {
            try $0.execute(
                sql: """
                    CREATE TRIGGER poison BEFORE INSERT ON tasks WHEN new.tenant = 'poison'
                    BEGIN SELECT RAISE(ROLLBACK, 'poison'); END
                    """)
        }
        try await body()
    }

    @Test func `after a crash every record is as it was reported, although the database has none`() async throws {
        let store = try open()
        var samples = Samples()
        // Keys are in the database at once.
        try await store.keys.insert(Samples.key(1))
        let (intent, named) = (samples.task(externalTaskID: "order-1"), samples.task(key: "key-1"))
        try await store.begin(intent)
        try await store.begin(named)
        let accepted = try await store.accept(named.id, Samples.acceptance("kling-1"))
        let job = try await store.jobs.begin(samples.tasks(3), job: Samples.job())
        let copy = try crashed()
        await store.close()
        #expect(try await count(copy) == 0)

        let again = try open(copy.database, ServeLock(store: copy.database))
        #expect(try await again.task(intent.id)?.state == .intent)
        #expect(try await again.task(tenant: "shop", publicID: "order-1")?.id == intent.id)
        #expect(try await again.task(named.id) == accepted)
        #expect(try await again.idempotency(tenant: "shop", key: "key-1")?.answer == Samples.answer(accepted))
        #expect(try await again.keys.all().count == 1)
        #expect(try await again.jobs.job(tenant: "shop", job.number) == job)
        #expect(try await again.outbox.dueDeliveries(at: 9_000, limit: 9).map(\.task) == [named.id])
        let next = samples.task()
        try await again.begin(next)
        #expect(try await again.accept(next.id, Samples.acceptance("kling-2")).number == 2)
        await again.close()
    }

    @Test func `what a group undid by itself is not replayed`() async throws {
        let store = try open()
        var samples = Samples()
        let (first, second) = (samples.task(key: "key-1"), samples.task(externalTaskID: "order-1"))
        try await store.begin(first)
        try await store.begin(second)
        // The claim of the key is written before the id is found in use.
        let third = samples.task(externalTaskID: "order-1", key: "key-2")
        #expect(await failure { () throws(StoreError) in try await store.begin(third) } == .externalTaskIDInUse)
        let fourth = samples.task()
        try await store.begin(fourth)
        let copy = try crashed()
        await store.close()

        let again = try open(copy.database, ServeLock(store: copy.database))
        #expect(try await again.unfinished(after: nil, limit: 9).map(\.id) == [first.id, second.id, fourth.id])
        #expect(try await again.idempotency(tenant: "shop", key: "key-2") == nil)
        await again.close()
    }

    @Test func `a lost transaction takes no write with it that was reported as made`() async throws {
        let store = try open()
        var samples = Samples()
        let (before, poison, after) = (samples.task(), samples.task(tenant: "poison"), samples.task())
        try await withPoison {
            try await store.begin(before)
            #expect(await failure { () throws(StoreError) in try await store.begin(poison) } != nil)
            _ = try await store.accept(before.id, Samples.acceptance("kling-1"))
            try await store.begin(after)
        }
        #expect(store.statistics.failures == 1)
        #expect(try await store.unfinished(after: nil, limit: 9).map(\.id) == [before.id, after.id])
        let copy = try crashed()
        await store.close()
        let again = try open(copy.database, ServeLock(store: copy.database))
        #expect(try await again.task(tenant: "shop", publicID: "kling-1")?.id == before.id)
        #expect(try await again.task(poison.id) == nil)
        await again.close()
    }

    @Test func `while the database cannot follow, reads answer with what it has and deny nothing that it lacks`()
        async throws
    {
        let store = try open()
        var samples = Samples()
        let (old, new, poison) = (samples.task(), samples.task(), samples.task(tenant: "poison"))
        let other = try DatabaseQueue(path: folder.database, configuration: .holding)
        try await withPoison {
            try await store.begin(old)
            _ = try await store.accept(old.id, Samples.acceptance("kling-1"))
            #expect(try await store.task(old.id) != nil)
            try await store.begin(new)
            #expect(await failure { () throws(StoreError) in try await store.begin(poison) } != nil)
            try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
            #expect(try await store.task(tenant: "shop", publicID: "kling-1")?.id == old.id)
            #expect(try await store.tasks(tenant: "shop", page: 1, size: 9).map(\.id) == [old.id])
            #expect(await failure { () throws(StoreError) in try await store.task(new.id) } == .busy)
            try await other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
            #expect(try await store.task(new.id)?.state == .intent)
        }
        await store.close()
    }

    @Test func `a read sees every write that has returned`() async throws {
        let store = try open()
        var samples = Samples()
        for number in 1...20 {
            let task = samples.task()
            try await store.begin(task)
            _ = try await store.accept(task.id, Samples.acceptance("kling-\(number)"))
            #expect(try await store.tasks(tenant: "shop", page: 1, size: 1).first?.publicID == "kling-\(number)")
        }
        await store.close()
    }

    @Test func `a log that is used again from its start is not replayed twice`() async throws {
        let store = try open(limit: 20_000)
        var samples = Samples()
        var ids: [TaskID] = []
        for number in 1...300 {
            let task = samples.task()
            ids.append(task.id)
            try await store.begin(task)
            // The log is restarted when the database has followed it.
            if number % 40 == 0 { _ = try await store.task(task.id) }
        }
        let copy = try crashed()
        await store.close()
        let again = try open(copy.database, ServeLock(store: copy.database))
        #expect(try await again.unfinished(after: nil, limit: 999).map(\.id) == ids)
        await again.close()
    }

    @Test func `a command sees what was written before it started`() async throws {
        let store = try SQLiteTaskStore.open(path: folder.database, serving: lock)
        var samples = Samples()
        for _ in 1...10 {
            let task = samples.task()
            try await store.begin(task)
            let command = try SQLiteTaskStore.open(path: folder.database)
            #expect(try await command.task(task.id)?.state == .intent)
            await command.close()
        }
        await store.close()
    }

    @Test func `a command writes while the store is under constant load`() async throws {
        let store = try SQLiteTaskStore.open(path: folder.database, serving: lock)
        let command = try SQLiteTaskStore.open(path: folder.database)
        let isOver = Lock(false)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for tenant in 0..<16 {
                group.addTask {
                    var samples = Samples()
                    while !isOver.withLock({ $0 }) { try await store.begin(samples.task(tenant: "\(tenant)")) }
                }
            }
            for number in 1...20 { try await command.keys.insert(Samples.key(UInt8(number))) }
            isOver.withLock { $0 = true }
            try await group.waitForAll()
        }
        #expect(try await store.keys.all().count == 20)
        await command.close()
        await store.close()
    }

    @Test func `a closed store has all of its records in one file`() async throws {
        let store = try open()
        var samples = Samples()
        try await store.begin(samples.task())
        await store.close()
        #expect(try await count(crashed([""])) == 1)
        #expect(!FileManager.default.fileExists(atPath: folder.database + "-redo"))
    }

    @Test func `a command replays the log of a crashed gateway, and leaves that of a running one alone`() async throws {
        let store = try open()
        var samples = Samples()
        let task = samples.task()
        try await store.begin(task)
        let copy = try crashed()
        var hurried = SQLiteTaskStore.Options()
        hurried.lockTimeout = .milliseconds(10)
        let beside = try SQLiteTaskStore.open(path: folder.database, options: hurried)
        #expect(try await beside.task(task.id) == nil, "the database follows later")
        await beside.close()
        #expect(FileManager.default.fileExists(atPath: folder.database + "-redo"))
        await store.close()

        let command = try SQLiteTaskStore.open(path: copy.database)
        #expect(try await command.task(task.id)?.state == .intent)
        #expect(!FileManager.default.fileExists(atPath: copy.database + "-redo"))
        await command.close()
    }

    @Test func `a log that continues a later state than the database has stops the start`() async throws {
        let store = try open(limit: 1)
        var samples = Samples()
        try await store.begin(samples.task())
        let older = try crashed(["", "-wal"])
        for _ in 1...3 {
            try await store.begin(samples.task())
            // Moves everything into the database, and restarts the log.
            try await store.check()
        }
        try await store.begin(samples.task())
        let log = try crashed(["-redo"])
        await store.close()
        try FileManager.default.copyItem(atPath: log.database + "-redo", toPath: older.database + "-redo")
        let error = try #require(throws: StoreError.self) { try SQLiteTaskStore.open(path: older.database) }
        #expect(error.code == .corrupt && error.detail.contains("Remove \(older.database)-redo"))
    }
}

extension GRDB.Configuration {
    /// Of a connection that may leave a transaction open.
    fileprivate static var holding: GRDB.Configuration {
        var configuration = GRDB.Configuration()
        configuration.allowsUnsafeTransactions = true
        return configuration
    }
}
