import GRDB
import Glibc
import TaskStore
import TestKit
import Testing

@Suite(.onEventLoop) struct SQLiteTaskStoreTests {
    private let folder = StoreFolder()

    private func open(_ change: (inout SQLiteTaskStore.Options) -> Void = { _ in }) throws(StoreError)
        -> any TaskStore
    {
        var options = SQLiteTaskStore.Options()
        change(&options)
        return try SQLiteTaskStore.open(path: folder.database, options: options)
    }

    private func mode(_ path: String) -> UInt32 {
        var status = stat()
        return unsafe stat(path, &status) == 0 ? UInt32(status.st_mode) & 0o777 : 0
    }

    private func length(_ path: String) -> Int {
        var status = stat()
        return unsafe stat(path, &status) == 0 ? Int(status.st_size) : -1
    }

    @Test func `acknowledged writes are there when the store is opened again`() async throws {
        var samples = Samples()
        let task = samples.task(externalTaskID: "order-1")
        let store = try open()
        try await store.begin(task)
        let record = try await store.accept(task.id, Samples.acceptance("kling-1"))
        try await store.keys.insert(Samples.key(1))
        await store.close()

        let again = try open()
        #expect(try await again.task(tenant: "shop", publicID: "kling-1") == record)
        #expect(try await again.keys.all().count == 1)
        let next = samples.task()
        try await again.begin(next)
        #expect(try await again.accept(next.id, Samples.acceptance("kling-2")).number == 2)
        await again.close()
    }

    @Test func `the first update of an old task after a start does not disturb the numbering`() async throws {
        var samples = Samples()
        let (old, young, next) = (samples.task(), samples.task(), samples.task())
        let store = try open()
        for (task, id) in [(old, "kling-1"), (young, "kling-2")] {
            try await store.begin(task)
            _ = try await store.accept(task.id, Samples.acceptance(id))
        }
        await store.close()

        let again = try open()
        #expect(try await again.observe(old.id, Samples.seen(.processing)).number == 1)
        try await again.begin(next)
        #expect(try await again.accept(next.id, Samples.acceptance("kling-3")).number == 3)
        await again.close()
    }

    @Test func `an acknowledged write is visible although the store was never closed`() async throws {
        var samples = Samples()
        let task = samples.task()
        let store = try open()
        try await store.begin(task)
        let other = try open()
        #expect(try await other.task(task.id)?.state == .intent)
        await other.close()
        await store.close()
    }

    @Test func `many writes share few commits`() async throws {
        let store = try open()
        var samples = Samples()
        let tasks = (0..<1_000).map { _ in samples.task() }
        await withTaskGroup(of: Void.self) { group in
            for task in tasks { group.addTask { try? await store.begin(task) } }
        }
        let statistics = store.statistics
        #expect(statistics.commits < 500)
        #expect(statistics.writesPerCommit.sum == 1_000)
        #expect(statistics.commitSeconds.count == statistics.commits)
        #expect(statistics.failures == 0 && statistics.waitingWrites == 0)
        await store.close()
    }

    @Test func `a full queue and a lock of another process fail writes, and both recover`()
        async throws
    {
        let store = try open {
            $0.queueCapacity = 8
            $0.lockTimeout = .seconds(1)
        }
        var samples = Samples()
        let tasks = (0..<40).map { _ in samples.task() }
        let codes = try await withHeldLock { () -> [StoreError.Code?] in
            await withTaskGroup(of: StoreError.Code?.self) { group in
                for task in tasks {
                    group.addTask { await failure { () throws(StoreError) in try await store.begin(task) } }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
        }
        #expect(codes.contains(.busy))
        #expect(codes.contains(.unavailable))
        #expect(codes.allSatisfy { $0 == .busy || $0 == .unavailable })
        let unwritten = try await store.task(tasks[0].id)
        #expect(unwritten == nil)
        #expect(store.statistics.failures > 0)
        try await store.begin(tasks[0])
        try await store.check()
        await store.close()
    }

    /// Runs `body` while another connection holds the write lock.
    private func withHeldLock<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let other = try DatabaseQueue(path: folder.database, configuration: configuration)
        try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
        let value = try await body()
        try await other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
        return value
    }

    @Test func `a change by another process is seen by the process that began the task`() async throws {
        let (serving, command) = (try open(), try open())
        var samples = Samples()
        let (task, next) = (samples.task(), samples.task())
        try await serving.begin(task)
        try await serving.begin(next)
        #expect(try await command.accept(task.id, Samples.acceptance("kling-1")).number == 1)
        #expect(
            await failure { () throws(StoreError) in try await serving.accept(task.id, Samples.acceptance("kling-2")) }
                == .stale)
        #expect(try await serving.accept(next.id, Samples.acceptance("kling-2")).number == 2)
        await command.close()
        await serving.close()
    }

    @Test func `a failed write leaves nothing behind and does not affect others`() async throws {
        var samples = Samples()
        let twice = NewDelivery(id: "msg_1", url: "https://client.example/hook", body: [1], isLast: false)
        let store = try SQLiteTaskStore.open(path: folder.database) { _, after in
            after.state == .submitted ? twice : nil
        }
        let first = samples.task()
        try await store.begin(first)
        _ = try await store.accept(first.id, Samples.acceptance("kling-0"))
        let tasks = (0..<100).map { number in
            samples.task(callbackURL: number % 2 == 0 ? nil : "https://client.example/hook", key: "try-\(number)")
        }
        for task in tasks { try await store.begin(task) }
        let codes = await withTaskGroup(of: StoreError.Code?.self) { group in
            for task in tasks {
                group.addTask {
                    await failure { () throws(StoreError) in
                        try await store.accept(task.id, Samples.acceptance("kling-\(task.id)"))
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(codes.count { $0 == .alreadyExists } == 50 && codes.count { $0 == nil } == 50)
        for (number, task) in tasks.enumerated() {
            let isOpen = number % 2 == 1
            #expect(try await store.task(task.id)?.state == (isOpen ? .intent : .submitted))
            let claim = try #require(try await store.idempotency(tenant: "shop", key: "try-\(number)"))
            #expect((claim.answer == nil) == isOpen)
        }
        #expect(try await store.tasks(tenant: "shop", page: 1, size: 500).compactMap(\.number) == (1...51).reversed())
        await store.close()
    }

    @Test func `a key inserted by another process raises the version`() async throws {
        let (serving, command) = (try open(), try open())
        let before = try await serving.keys.version()
        try await command.keys.insert(Samples.key(1))
        #expect(try await serving.keys.version() == before + 1)
        #expect(try await serving.keys.all().count == 1)
        await command.close()
        await serving.close()
    }

    @Test func `a failed key insert leaves the version as it was`() async throws {
        let store = try open()
        try await store.keys.insert(Samples.key(1))
        let before = try await store.keys.version()
        _ = await failure { () throws(StoreError) in try await store.keys.insert(Samples.key(1)) }
        #expect(try await store.keys.version() == before)
        await store.close()
    }

    @Test func `folders and files are created for the owner alone`() async throws {
        let path = folder.path + "/a/b/gateway.db"
        let store = try SQLiteTaskStore.open(path: path)
        #expect(mode(folder.path + "/a/b") == 0o700 && mode(folder.path + "/a") == 0o700)
        #expect(mode(path) == 0o600 && mode(path + "-wal") == 0o600 && mode(path + "-shm") == 0o600)
        await store.close()
    }

    @Test(arguments: ["/dev/null/gateway.db", "/proc/nowhere/gateway.db"])
    func `the error for a folder that cannot be created names it`(_ path: String) throws {
        let error = try #require(throws: StoreError.self) { try SQLiteTaskStore.open(path: path) }
        #expect(error.detail.contains(String(path.prefix { $0 != "g" }.dropLast())))
    }

    @Test func `the error for a folder in place of the file names it`() throws {
        let error = try #require(throws: StoreError.self) { try SQLiteTaskStore.open(path: folder.path) }
        #expect(error.detail.contains(folder.path))
    }

    @Test(.enabled(if: geteuid() != 0, "the superuser may write anywhere"))
    func `the error for a file or folder that cannot be written to names it`() async throws {
        await (try open()).close()
        unsafe chmod(folder.database, 0o400)
        let file = try #require(throws: StoreError.self) { try open() }
        #expect(file.code == .readOnly && file.detail.contains(folder.database))
        unsafe chmod(folder.database, 0o600)
        unsafe chmod(folder.path, 0o500)
        let closed = try #require(throws: StoreError.self) { try open() }
        #expect(closed.code == .readOnly && closed.detail.contains(folder.path))
        unsafe chmod(folder.path, 0o700)
    }

    @Test func `a file that isn't a database is refused`() throws {
        let text = Array(String(repeating: "This is not a database. ", count: 200).utf8)
        let file = unsafe creat(folder.database, 0o600)
        let written = unsafe write(file, text, text.count)
        #expect(written == text.count)
        close(file)
        let error = try #require(throws: StoreError.self) { try open() }
        #expect(error.code == .corrupt && error.detail.contains(folder.database))
    }

    @Test func `a store written by a newer version is refused`() async throws {
        await (try open()).close()
        let other = try DatabaseQueue(path: folder.database)
        try await other.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('next year')") }
        try other.close()
        let error = try #require(throws: StoreError.self) { try open() }
        #expect(error.code == .newerSchema && error.detail.contains(folder.database))
    }

    @Test func `only one process at a time serves from a store`() throws {
        let first = try ServeLock(store: folder.database)
        let error = try #require(throws: StoreError.self) { try ServeLock(store: folder.database) }
        #expect(error.code == .alreadyServed && error.detail.contains(folder.database + ".lock"))
        withExtendedLifetime(first) {}
    }

    @Test func `the serve lock is free again after its holder is gone`() throws {
        do { _ = try ServeLock(store: folder.database) }
        _ = try ServeLock(store: folder.database)
    }

    @Test func `the write-ahead log stays short under constant load`() async throws {
        let store = try open { $0.logBytes = 256 << 10 }
        var samples = Samples()
        for _ in 0..<20 {
            let tasks = (0..<200).map { _ in samples.task() }
            await withTaskGroup(of: Void.self) { group in
                for task in tasks { group.addTask { try? await store.begin(task) } }
            }
        }
        let size = length(folder.database + "-wal")
        #expect(size > 0 && size < (8 * 256) << 10)
        await store.close()
        #expect(length(folder.database + "-wal") == -1, "closing moves the log into the database")
    }

    @Test(arguments: [
        ("taskByPublicID", "SELECT * FROM tasks WHERE public_id = 'x' AND tenant = 'y'", "tasks_public_ids"),
        (
            "taskByExternalID", "SELECT * FROM tasks WHERE tenant = 'x' AND external_task_id = 'y' AND released = 0",
            "tasks_claims"
        ),
        ("jobTasks", "SELECT * FROM tasks WHERE job = 1", "tasks_jobs"),
        ("leaveJob", "UPDATE tasks SET job = NULL WHERE job = 1", "tasks_jobs"),
        ("lastNumber", "SELECT max(number) FROM tasks WHERE tenant = 'x' AND number IS NOT NULL", "tasks_numbers"),
    ])
    func `a look-up uses its index`(_ name: String, _ sql: String, _ index: String) async throws {
        let store = try open()
        let plan = try await DatabaseQueue(path: folder.database).read { database in
            try Row.fetchAll(database, sql: "EXPLAIN QUERY PLAN " + sql).map { $0["detail"] as String }
        }
        #expect(
            plan.count == 1 && plan[0].hasPrefix("SEARCH tasks USING") && plan[0].contains(index), "\(name): \(plan)")
        await store.close()
    }
}
