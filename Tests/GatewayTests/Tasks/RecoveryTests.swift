import Base
import EventLoop
import Foundation
import HTTPServer
import KlingAPI
import TestKit
import Testing

@testable import Gateway
@testable import TaskStore

/// A Kling that knows some tasks by the gateway's ids, and accepts every create.
private final class KnowingKling: KlingUpstream {
    let known: Set<TaskID>
    let calls = Mailbox<KlingCall>()

    init(known: Set<TaskID> = []) { self.known = known }

    /// Waits for the next call. Throws if the test is cancelled.
    func next() async throws -> KlingCall {
        while calls.count == 0 {
            try Task.checkCancellation()
            await Task.yield()
        }
        return await calls.next()
    }

    func send(_ call: KlingCall) async throws(KlingFailure) -> KlingReply {
        calls.put(call)
        if call.kind == .create || known.contains(where: { call.path.hasSuffix("\($0)") }) {
            let name = call.path.split(separator: "/").last ?? ""
            let info = #""task_info":{"external_task_id":"\#(name)"}"#
            let json = #"{"code":0,"data":{"task_id":"kling-1","task_status":"processing",\#(info)}}"#
            return KlingReply(status: 200, body: Array(json.utf8))
        }
        return KlingReply(status: 404, body: Array(#"{"code":1203,"message":"no such task"}"#.utf8))
    }
}

/// What a previous run of the gateway has left in the store and the spool.
private struct PreviousRun {
    let folder: TemporaryFolder
    let store: any TaskStore
    let spool: Spool
    let task: TaskID

    /// A queued task, as it was when the process ended.
    init(account: String?, hasBody: Bool = true, hours: Int64 = 0) async throws {
        folder = try TemporaryFolder()
        store = try SQLiteTaskStore.open(path: folder.path("gateway.db"))
        spool = try Spool(folder.path("spool"))
        task = taskIDs(1)[0]
        let now = WallClock.milliseconds - hours * 3_600_000
        try await store.begin(
            NewTask(id: task, tenant: "shop", assignment: nil, model: "kolors-virtual-try-on-v1", createdAt: now))
        if hasBody { try await spool.write(task, [ByteSlice(copying: "{}")]) }
        _ = try await store.queue(task, payload: 2, at: now) { _ in StoredAnswer(status: 200, body: []) }
        if let account { try await store.assign(task, to: Assignment(account: account), at: now) }
    }

    /// A task that Kling accepted `hours` ago, or a create that has been open since then.
    init(account: String, upstreamID: String?, hours: Int64) async throws {
        folder = try TemporaryFolder()
        store = try SQLiteTaskStore.open(path: folder.path("gateway.db"))
        spool = try Spool(folder.path("spool"))
        task = taskIDs(1)[0]
        try await add(task, account: account, upstreamID: upstreamID, hours: hours)
    }

    /// Adds such a task.
    func add(_ task: TaskID, account: String, upstreamID: String?, hours: Int64) async throws {
        let then = WallClock.milliseconds - hours * 3_600_000
        try await store.begin(
            NewTask(
                id: task, tenant: "shop", assignment: Assignment(account: account),
                model: "kolors-virtual-try-on-v1", createdAt: then))
        guard let upstreamID else { return }
        let acceptance = Acceptance(
            upstreamID: upstreamID, publicID: upstreamID, state: .processing, statusWord: "processing",
            answer: Array("{}".utf8), at: then)
        _ = try await store.accept(task, acceptance) { _ in StoredAnswer(status: 200, body: []) }
    }

    /// Starts a gateway with one account, runs `body`, and stops it.
    /// - Parameters:
    ///   - other: a task that holds a slot of the account.
    ///   - clock: the clock of the background work, in place of the real one.
    func start(
        _ kling: KnowingKling, _ account: Account, beside other: TaskID? = nil, clock: VirtualClock? = nil,
        _ body: (TryOnTasks) async throws -> Void
    ) async throws {
        let loop = try EventLoop(name: "recovery")
        let bounds = QueueBounds(tasks: 10, bytes: 1 << 20, maxAge: 3_600_000)
        let tasks = try TryOnTasks(
            kling, [account], store, on: loop,
            queue: TaskQueue(bounds, spool: spool, budget: ByteBudget(capacity: 1 << 20), loop: loop),
            backgroundClock: clock?.background ?? Background.Clock())
        if let other { _ = tasks.accounts.reserve(other, model: "kolors-virtual-try-on-v1") }
        try await Recovery(tasks: tasks).run()
        let failure: (any Error)?
        do { try await body(tasks); failure = nil } catch { failure = error }
        await tasks.ledger.watcher.stop()
        await tasks.background.stop()
        loop.stop()
        if let failure { throw failure }
    }

    /// Waits until the record meets a condition, and returns it.
    func record(_ isWanted: (TaskRecord) -> Bool) async throws -> TaskRecord {
        while true {
            let record = try #require(try await store.task(task))
            if isWanted(record) { return record }
            try Task.checkCancellation()
            await Task.yield()
        }
    }
}

@Suite(.onEventLoop, .timeLimit(.minutes(5))) struct RecoveryTests {
    @Test func `a queued task stays with an account that is no longer configured`() async throws {
        let previous = try await PreviousRun(account: "gone")
        let kling = KnowingKling()
        try await previous.start(kling, account("other")) { tasks in
            let record = try await previous.record { $0.flags.contains(.unknown) }
            #expect(record.state == .queued && record.account == "gone")
            let next = tasks.ledger.queue?.next { _ in true }
            #expect(next == nil)
        }
        #expect(kling.calls.count == 0)
        await previous.store.close()
    }

    @Test func `tasks of an account that is no longer configured are flagged a day after their last update`()
        async throws
    {
        let previous = try await PreviousRun(account: "gone", upstreamID: "kling-1", hours: 25)
        let young = taskIDs(2)[1]
        try await previous.add(young, account: "gone", upstreamID: "kling-2", hours: 23)
        let kling = KnowingKling()
        try await previous.start(kling, account("other")) { tasks in
            let record = try await previous.record { $0.flags == .stuck }
            #expect(record.state == .processing)
            let flagged = try await previous.store.allTasks(
                TaskFilter(flags: [.stuck, .unknown]), before: nil, limit: 9)
            #expect(flagged.map(\.id) == [previous.task])
            #expect(await tasks.background.loop.run { tasks.ledger.watcher.count } == 0)
        }
        #expect(kling.calls.count == 0)
        await previous.store.close()
    }

    /// A reseller that has never accepted anything may say that it has no such task, which proves nothing.
    @Test(arguments: [25, 23])
    func `a create that has been open for a day is flagged and still looked up`(hours: Int64) async throws {
        let previous = try await PreviousRun(account: "reseller", upstreamID: nil, hours: hours)
        let kling = KnowingKling()
        try await previous.start(kling, account("reseller"), clock: VirtualClock()) { _ in
            #expect(try await kling.next().kind == .query)
            let record = try await previous.record { _ in true }
            #expect(record.flags == (hours > 24 ? .unknown : []))
            #expect(try await kling.next().kind == .query)
        }
        await previous.store.close()
    }

    @Test func `a queued create that has been open for a day is flagged and still looked up`() async throws {
        let previous = try await PreviousRun(account: "reseller", hours: 25)
        let kling = KnowingKling()
        try await previous.start(kling, account("reseller"), clock: VirtualClock()) { _ in
            let record = try await previous.record { $0.flags == .unknown }
            #expect(record.state == .queued && record.account == "reseller")
            while kling.calls.count > 0 { _ = try await kling.next() }
            #expect(try await kling.next().kind == .query)
        }
        await previous.store.close()
    }

    @Test func `a queued task whose body is gone is looked up where it may have arrived`() async throws {
        let previous = try await PreviousRun(account: "main", hasBody: false)
        let kling = KnowingKling(known: [previous.task])
        try await previous.start(kling, account("main", hasLookup: true)) { _ in
            let record = try await previous.record { $0.state > .queued }
            #expect(record.state == .processing && record.upstreamID == "kling-1")
        }
        await previous.store.close()
    }

    @Test func `a queued task without a body or an account fails`() async throws {
        let previous = try await PreviousRun(account: nil, hasBody: false)
        try await previous.start(KnowingKling(), account("main")) { _ in
            let record = try await previous.record { $0.state > .queued }
            #expect(record.state == .failed)
        }
        await previous.store.close()
    }

    @Test func `an unreadable body holds no slot and is read again`() async throws {
        let previous = try await PreviousRun(account: nil)
        // A folder in the file's place: the body is neither readable nor missing.
        let path = previous.folder.path("spool/\(previous.task).json")
        let kept = previous.folder.path("kept")
        let other = id(1)
        try await previous.start(KnowingKling(), account("main", concurrency: 1), beside: other) { tasks in
            try FileManager.default.moveItem(atPath: path, toPath: kept)
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            tasks.accounts.settled(other, on: "main", .withdrawn)
            _ = try await previous.record { $0.account == "main" || $0.state > .queued }
            while tasks.accounts.figures()[0].running > 0 {
                try Task.checkCancellation()
                await Task.yield()
            }
            try FileManager.default.removeItem(atPath: path)
            try FileManager.default.moveItem(atPath: kept, toPath: path)
            let record = try await previous.record { $0.state > .queued }
            #expect(record.state == .processing)
        }
        await previous.store.close()
    }

    /// A power cut may have undone the record of an acceptance, but not the client's knowledge of its id.
    @Test func `an unknown id is not denied before the creates of its tenant are looked up`() async throws {
        let previous = try await PreviousRun(account: "main", upstreamID: nil, hours: 0)
        // This account's answer that it has no such task proves nothing.
        try await previous.start(KnowingKling(), account("main"), clock: VirtualClock()) { tasks in
            #expect(await tasks.refusal(of: "kling-1", tenant: "shop") == .lookUpsOpen)
            #expect(await tasks.refusal(of: "kling-1", tenant: "other") == .unknownTask)
            let answer = try #require(
                KlingAnswer(Array(#"{"code":0,"data":{"task_id":"kling-1","task_status":"succeed"}}"#.utf8)))
            _ = try await tasks.ledger.accept(
                try #require(answer.task), in: answer, upstreamID: "kling-1", previous.task, by: account("main"))
            #expect(await tasks.refusal(of: "kling-1", tenant: "shop") == nil)
            #expect(await tasks.refusal(of: "kling-2", tenant: "shop") == .unknownTask)
        }
        await previous.store.close()
    }

    @Test func `an account without look-up holds up no answer about an unknown id`() async throws {
        let previous = try await PreviousRun(account: "reseller", upstreamID: nil, hours: 0)
        let reseller = account("reseller", hasLookup: false)
        try await previous.start(KnowingKling(), reseller, clock: VirtualClock()) { tasks in
            #expect(await tasks.refusal(of: "kling-1", tenant: "shop") == .unknownTask)
        }
        await previous.store.close()
    }

    @Test func `a task that was found at Kling is not ended`() async throws {
        let previous = try await PreviousRun(account: "main")
        let answer = try #require(
            KlingAnswer(Array(#"{"code":0,"data":{"task_id":"kling-1","task_status":"processing"}}"#.utf8)))
        let kling = KnowingKling(known: [previous.task])
        try await previous.start(kling, account("main", hasLookup: true)) { tasks in
            let object = try #require(answer.task)
            _ = try await tasks.ledger.accept(
                object, in: answer, upstreamID: "kling-1", previous.task, by: account("main", hasLookup: true))
            try await tasks.ledger.end(previous.task, because: "never reached Kling; nothing was charged")
            let record = try await previous.record { _ in true }
            #expect(record.state == .processing)
        }
        await previous.store.close()
    }
}

extension TryOnTasks {
    /// Why a query for `id` fails; nil if it succeeds.
    fileprivate func refusal(of id: String, tenant: String) async -> Cause? {
        do throws(GatewayError) {
            _ = try await queries.query(id, tenant: tenant, ExchangeNote(requestID: "r"))
            return nil
        } catch {
            return error.cause
        }
    }
}
