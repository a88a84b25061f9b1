import Base
import EventLoop
import Foundation
import HTTPServer
import KlingAPI
import TestKit
import Testing

@testable import Gateway
@testable import TaskStore

/// Queued creates, and the dispatcher that sends them to a ``RecordingKling``.
private struct Backlog {
    let kling: RecordingKling
    let tasks: TryOnTasks
    let store: any TaskStore
    let queue: TaskQueue
    let folder: TemporaryFolder
    /// The queued tasks, oldest first.
    let ids: [TaskID]

    /// Queues a create of each tenant in `tenants`, starts the dispatcher, runs `body`, and stops.
    /// - Parameters:
    ///   - age: how long the creates have been in the queue, which keeps them for an hour.
    ///   - prepare: runs before the dispatcher starts.
    static func run(
        _ kling: RecordingKling, _ accounts: [Account], tenants: [String] = ["shop"], age: Duration = .zero,
        prepare: (Backlog) async throws -> Void = { _ in }, _ body: (Backlog) async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder()
        let loop = try EventLoop(name: "dispatcher")
        let backlog = try await Backlog(kling, accounts, tenants, age, folder, loop)
        let failure: (any Error)?
        do {
            try await prepare(backlog)
            let dispatcher = Dispatcher(tasks: backlog.tasks, queue: backlog.queue)
            backlog.tasks.background.start { await dispatcher.run() }
            try await body(backlog)
            failure = nil
        } catch { failure = error }
        await backlog.tasks.ledger.watcher.stop()
        await backlog.tasks.background.stop()
        loop.stop()
        await backlog.store.close()
        if let failure { throw failure }
    }

    private init(
        _ kling: RecordingKling, _ accounts: [Account], _ tenants: [String], _ age: Duration, _ folder: TemporaryFolder,
        _ loop: EventLoop
    ) async throws {
        self.kling = kling
        self.folder = folder
        store = try SQLiteTaskStore.open(path: folder.path("gateway.db"))
        let spool = try Spool(folder.path("spool"))
        queue = TaskQueue(
            QueueBounds(tasks: 10, bytes: 1 << 20, maxAge: 3_600_000), spool: spool,
            budget: ByteBudget(capacity: 1 << 20), loop: loop)
        tasks = TryOnTasks(
            options: TryOnTasks.Options(), store: store, caller: KlingCaller(upstream: kling, observer: Silence()),
            accounts: Accounts(accounts), queue: queue, callbackDelivery: nil,
            callbackTokens: CallbackTokens(Vault(try MasterKey(Secret("a master key of some length")))),
            cache: TaskCache(capacity: 10, bytes: 1 << 20), watcher: Watcher(reader: KlingReader(), on: loop, seed: 1),
            loop: loop)
        ids = taskIDs(tenants.count)
        var records: [TaskRecord] = []
        for (id, tenant) in zip(ids, tenants) {
            let then = WallClock.milliseconds - age.nanoseconds / 1_000_000
            try await store.begin(
                NewTask(id: id, tenant: tenant, assignment: nil, model: "kolors-virtual-try-on-v1", createdAt: then))
            let body = """
                {"human_image":"https://a.test/h.png","cloth_image":"https://a.test/c.png","external_task_id":"\(id)"}
                """
            try await spool.write(id, [ByteSlice(copying: body)])
            let answer = StoredAnswer(status: 200, body: [])
            records.append(try await store.queue(id, payload: body.utf8.count, at: then) { _ in answer })
        }
        _ = try await queue.recover(records, accounts: [:])
    }

    /// Where the body of a task is, until it has left the queue.
    func bodyPath(_ id: TaskID) -> String { folder.path("spool/\(id).json") }

    /// Waits until the record of a task meets a condition, and returns it.
    func record(_ id: TaskID, once isWanted: (TaskRecord) -> Bool) async throws -> TaskRecord {
        while true {
            let record = try #require(try await store.task(id))
            if isWanted(record) { return record }
            try await pause()
        }
    }

    /// Waits until a condition holds.
    func wait(until isMet: () -> Bool) async throws {
        while !isMet() { try await pause() }
    }

    private func pause() async throws {
        try Task.checkCancellation()
        await Task.yield()
    }

    /// Ends a task that Kling has.
    func finish(_ id: TaskID) async throws {
        let record = try await record(id) { $0.upstreamID != nil }
        let members = #"{"task_id":"\#(record.upstreamID ?? "")","task_status":"succeed"}"#
        _ = await tasks.ledger.recordObservation(try #require(TaskObject(Array(members.utf8))), of: id)
    }
}

@Suite(.onEventLoop, .timeLimit(.minutes(5))) struct DispatcherTests {
    /// How a queued create ends, and what that takes.
    struct Row: CustomTestStringConvertible, Sendable {
        let testDescription: String
        var behaviour = RecordingKling.Behaviour()
        var accounts: @Sendable () -> [Account] = DispatcherTests.two
        /// The accounts that it is sent to, in order.
        let sent: [String]
        let state: TaskState
        let account: String?
        var word: String?
        var flags: TaskFlags = []
    }

    private static let two: @Sendable () -> [Account] = {
        [account("first", weight: 100, hasLookup: true), account("second", hasLookup: true)]
    }

    private static func one(hasLookup: Bool) -> @Sendable () -> [Account] {
        { [account("first", hasLookup: hasLookup)] }
    }

    static let rows = [
        Row(testDescription: "accepted", sent: ["first"], state: .submitted, account: "first"),
        Row(
            testDescription: "refused by Kling",
            behaviour: RecordingKling.Behaviour(refusals: ["first": (400, #"{"code":1201,"message":"a cat"}"#)]),
            sent: ["first"], state: .failed, account: "first", word: "a cat"),
        Row(
            testDescription: "declined by a saturated account, accepted by another one",
            behaviour: RecordingKling.Behaviour(refusals: ["first": (429, #"{"code":1303,"message":"m"}"#)]),
            sent: ["first", "second"], state: .submitted, account: "second"),
        Row(
            testDescription: "unsuitable for an account, accepted by another one",
            behaviour: RecordingKling.Behaviour(refusals: ["first": (413, "")]), sent: ["first", "second"],
            state: .submitted, account: "second"),
        Row(
            testDescription: "unsuitable for the only account",
            behaviour: RecordingKling.Behaviour(refusals: ["first": (413, "")]), accounts: one(hasLookup: true),
            sent: ["first"], state: .failed, account: "first"),
        Row(
            testDescription: "a lost answer is looked up", behaviour: RecordingKling.Behaviour(lostAnswers: 1),
            sent: ["first"], state: .submitted, account: "first"),
        Row(
            testDescription: "a lost create without a look-up is left to the operator",
            behaviour: RecordingKling.Behaviour(lostCreates: 1), accounts: one(hasLookup: false), sent: ["first"],
            state: .queued, account: "first", flags: .unknown),
    ]

    @Test(arguments: rows) func `a queued create leaves the queue with its outcome recorded`(row: Row) async throws {
        try await Backlog.run(RecordingKling(row.behaviour), row.accounts()) { backlog in
            let id = backlog.ids[0]
            let record = try await backlog.record(id) { record in
                record.state == row.state && record.account == row.account && record.flags == row.flags
            }
            try await backlog.wait { backlog.queue.figures.tasks == 0 }
            #expect(backlog.kling.creates.map(\.account) == row.sent)
            if let word = row.word { #expect(record.statusWord == word) }
            // Its body and, unless Kling may have the task, its slot are free.
            try await backlog.wait { !FileManager.default.fileExists(atPath: backlog.bodyPath(id)) }
            let running = backlog.tasks.accounts.figures().reduce(0) { $0 + $1.running }
            #expect(running == (row.state == .failed ? 0 : 1))
        }
    }

    @Test func `a create that its only account declines waits without an account and is sent again`() async throws {
        let kling = RecordingKling(RecordingKling.Behaviour(refusals: ["main": (429, #"{"code":1303,"message":"m"}"#)]))
        try await Backlog.run(kling, [account("main", hasLookup: true)]) { backlog in
            try await backlog.wait { kling.creates.count == 1 }
            let waiting = try await backlog.record(backlog.ids[0]) { $0.account == nil }
            #expect(waiting.state == .queued && backlog.queue.figures.tasks == 1)
            kling.change { $0.refusals = [:] }
            _ = try await backlog.record(backlog.ids[0]) { $0.upstreamID != nil }
            #expect(kling.creates.count == 2 && kling.createdTasks.count == 1)
        }
    }

    @Test func `creates are sent one by one as slots become free, oldest first within a tenant`() async throws {
        let kling = RecordingKling(RecordingKling.Behaviour())
        let tenants = ["a", "a", "a", "b", "b", "c"]
        try await Backlog.run(kling, [account("main", concurrency: 1, hasLookup: true)], tenants: tenants) { backlog in
            var sent: [TaskID] = []
            while sent.count < tenants.count {
                try await backlog.wait { kling.createdTasks.count > sent.count }
                #expect(kling.createdTasks.count == sent.count + 1)
                sent.append(try #require(kling.createdTasks.last.flatMap { TaskID($0.externalTaskID) }))
                try await backlog.finish(sent[sent.count - 1])
            }
            for tenant in Set(tenants) {
                let own = zip(backlog.ids, tenants).filter { $0.1 == tenant }.map(\.0)
                #expect(sent.filter(own.contains) == own, "tenant \(tenant)")
            }
        }
    }

    @Test func `creates that have waited too long fail and are not sent`() async throws {
        let kling = RecordingKling(RecordingKling.Behaviour())
        try await Backlog.run(kling, [account("main")], tenants: ["a", "b"], age: .seconds(3_601)) { backlog in
            for id in backlog.ids {
                let record = try await backlog.record(id) { $0.state == .failed }
                #expect(record.statusWord == "not sent within 1h; nothing was charged")
            }
            try await backlog.wait { backlog.queue.figures.tasks == 0 }
        }
        #expect(kling.creates.isEmpty)
    }

    @Test func `a create that the operator has ended is not sent and takes no slot`() async throws {
        let kling = RecordingKling(RecordingKling.Behaviour())
        try await Backlog.run(kling, [account("main", concurrency: 1)]) { backlog in
            _ = try await backlog.store.endUnmade(backlog.ids[0], because: "cancelled", at: 1)
        } _: { backlog in
            try await backlog.wait { backlog.queue.figures.tasks == 0 }
            #expect(try await backlog.store.task(backlog.ids[0])?.statusWord == "cancelled")
            try await backlog.wait { backlog.tasks.accounts.figures()[0].running == 0 }
        }
        #expect(kling.creates.isEmpty)
    }

    @Test func `a create whose body is lost fails, and the next one is sent`() async throws {
        let kling = RecordingKling(RecordingKling.Behaviour())
        try await Backlog.run(
            kling, [account("main", concurrency: 1, hasLookup: true)], tenants: ["shop", "shop"]
        ) { backlog in
            try FileManager.default.removeItem(atPath: backlog.bodyPath(backlog.ids[0]))
        } _: { backlog in
            let lost = try await backlog.record(backlog.ids[0]) { $0.state == .failed }
            #expect(lost.statusWord == "the request was lost; nothing was charged")
            _ = try await backlog.record(backlog.ids[1]) { $0.upstreamID != nil }
            #expect(kling.createdTasks.map(\.externalTaskID) == ["\(backlog.ids[1])"])
        }
    }
}
