import Base
import Foundation
import GRDB
import TaskStore
import TestKit
import Testing

/// Rows of creates that are kept back until Kling has answered. They must make no difference but in what they cost.
@Suite(.onEventLoop) struct PostponedRowTests {
    private let folder = StoreFolder()

    /// A store that keeps rows back for as long as it may.
    private func postponing() throws -> any TaskStore {
        var options = SQLiteTaskStore.Options()
        (options.databaseDelay, options.syncDelay) = (.seconds(3600), .seconds(3600))
        return try SQLiteTaskStore.open(
            path: folder.database, options: options, serving: try ServeLock(store: folder.database),
            deliveries: Samples.deliveries)
    }

    /// Every row of every table of a store that is closed, or was copied from one that is open.
    private func contents(_ folder: StoreFolder) async throws -> [String: [String]] {
        let database = try DatabaseQueue(path: folder.database)
        return try await database.read { database in
            var contents: [String: [String]] = [:]
            for table in ["tasks", "usage", "idempotency_keys", "deliveries"] {
                contents[table] = try Row.fetchAll(database, sql: "SELECT * FROM \(table)").map { "\($0)" }.sorted()
            }
            return contents
        }
    }

    private func crashed() throws -> StoreFolder {
        let copy = StoreFolder()
        for suffix in ["", "-wal", "-redo"] {
            try FileManager.default.copyItem(atPath: folder.database + suffix, toPath: copy.database + suffix)
        }
        return copy
    }

    @Test(arguments: UInt64(1)...12)
    func `any steps leave the same records as if each row was written at once`(_ seed: UInt64) async throws {
        let plain = StoreFolder()
        let direct = try SQLiteTaskStore.open(path: plain.database, deliveries: Samples.deliveries)
        let postponing = try postponing()
        var steps = Steps(seed: seed)
        for _ in 0..<120 {
            let step = steps.next()
            #expect(await step.take(in: postponing) == step.take(in: direct), "\(step)")
        }
        let copy = try crashed()
        await postponing.close()
        await direct.close()
        let expected = try await contents(plain)
        #expect(expected["tasks"]?.isEmpty == false)
        #expect(try await contents(folder) == expected)
        // A command replays the redo log.
        await (try SQLiteTaskStore.open(path: copy.database)).close()
        #expect(try await contents(copy) == expected)
    }

    @Test func `more rows than are kept back are written`() async throws {
        let store = try postponing()
        var samples = Samples()
        let tasks = (0..<1500).map { _ in samples.task(callbackURL: nil) }
        for task in tasks { try await store.begin(task) }
        for (index, task) in tasks.enumerated() {
            let record = try await store.accept(task.id, Samples.acceptance("kling-\(index)"))
            #expect(record.number == Int64(index + 1))
        }
        #expect(try await store.tasks(tenant: "shop", page: 1, size: 2000).map(\.id) == tasks.reversed().map(\.id))
        await store.close()
    }

    @Test func `rows that cannot be written are written when they can be, and nothing is denied until then`()
        async throws
    {
        let store = try postponing()
        var samples = Samples()
        let task = samples.task(callbackURL: nil)
        try await store.begin(task)
        _ = try await store.accept(task.id, Samples.acceptance("kling-1"))
        let other = samples.task(tenant: "other", externalTaskID: "order-1", callbackURL: nil)
        let queue = try DatabaseQueue(path: folder.database)
        await store.close()
        try await queue.write {
            try $0.execute(
                sql: """
                    CREATE TRIGGER full BEFORE INSERT ON tasks WHEN new.tenant = 'shop'
                    BEGIN SELECT RAISE(ROLLBACK, 'full'); END
                    """)
        }
        let again = try postponing()
        let late = samples.task(callbackURL: nil)
        try await again.begin(late)
        #expect(await failure { () throws(StoreError) in try await again.begin(other) } != nil)
        #expect(await failure { () throws(StoreError) in try await again.task(late.id) } != nil)
        #expect(try await again.task(task.id)?.upstreamID == "kling-1")
        try await queue.write { try $0.execute(sql: "DROP TRIGGER full") }
        try await again.begin(other)
        #expect(try await again.task(late.id)?.state == .intent)
        #expect(try await again.task(other.id)?.state == .intent)
        await again.close()
    }
}

/// Random steps of tasks' lives, the same for each seed.
private struct Steps {
    private var dice: Dice
    private var samples = Samples()
    private var tasks: [NewTask] = []
    private var clock: Int64 = 1_000

    init(seed: UInt64) { dice = Dice(seed: seed, "steps") }

    mutating func next() -> Step {
        clock += 10
        if dice.chance(0.7), let task = tasks.suffix(12).randomElement(using: &dice) {
            return Step(kind: dice.pick(Step.kinds), task: task, isOwn: dice.chance(0.2), time: clock)
        }
        let task = samples.task(
            externalTaskID: dice.chance(0.1) ? "order-\(tasks.count)" : nil, account: dice.chance(0.8) ? "main" : nil,
            callbackURL: dice.chance(0.1) ? "https://client.example/hook" : nil,
            key: dice.chance(0.1) ? "key-\(tasks.count)" : nil, at: clock)
        tasks.append(task)
        return Step(kind: .begin, task: task, isOwn: false, time: clock)
    }
}

/// One step of a task's life.
private struct Step: Sendable {
    enum Kind { case begin, accept, finish, assign, queue, refuse, show, flag, observe, fail, read, prune }

    /// The steps of a task that was begun, by how often they are taken.
    static let kinds: [(weight: Int, choice: Kind)] = [
        (9, .accept), (1, .finish), (2, .assign), (1, .queue), (1, .refuse), (1, .show), (1, .flag), (2, .observe),
        (1, .fail), (1, .read), (1, .prune),
    ]

    let kind: Kind
    let task: NewTask
    /// Whether the client was told the gateway's own id.
    let isOwn: Bool
    let time: Int64

    /// Takes the step, and returns what the store says: the record, or an error.
    func take(in store: any TaskStore) async -> Result<TaskRecord?, StoreError> {
        do throws(StoreError) { return .success(try await record(in: store)) } catch { return .failure(error) }
    }

    private func record(in store: any TaskStore) async throws(StoreError) -> TaskRecord? {
        let (id, kling) = (task.id, "kling-\(task.id)")
        switch kind {
        case .begin: try await store.begin(task)
        case .accept:
            let (isOwn, acceptance) = (isOwn, Samples.acceptance(kling, at: time))
            return try await store.accept(
                id, acceptance, ownID: { _ in isOwn }, isRecoverable: true, answering: Samples.answer)
        case .finish: return try await store.accept(id, Samples.acceptance(kling, .succeed, at: time))
        case .assign: return try await store.assign(id, to: Assignment(account: "second"), at: time)
        case .queue: return try await store.queue(id, at: time)
        case .refuse: try await store.refuse(id, reason: "no", at: time)
        case .show: return try await store.show(id, at: time)
        case .flag: try await store.flag(id, .unknown)
        case .observe: return try await store.observe(id, Samples.seen(.processing, at: time))
        case .fail: return try await store.observe(id, Samples.seen(.failed, at: time))
        case .read: return try await store.task(id)
        case .prune:
            _ = try await store.prune(
                tasksFinishedBefore: time, deliveriesFinishedBefore: 0, idempotencyKeysCreatedBefore: 0, limit: 1)
        }
        return nil
    }
}
