import Base
import EventLoop
import HTTPServer
import KlingAPI
import TaskStore
import TestKit
import Testing

@testable import Gateway

/// A Kling that reports every task as processing.
private final class WorkingKling: KlingUpstream {
    let calls = Mailbox<KlingCall>()

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
        let name = call.path.split(separator: "/").last ?? ""
        let info = #""task_info":{"external_task_id":"\#(name)"}"#
        let json = #"{"code":0,"data":{"task_id":"815","task_status":"processing",\#(info)}}"#
        return KlingReply(status: 200, body: Array(json.utf8))
    }
}

@Suite(.onEventLoop, .timeLimit(.minutes(5))) struct CallbackInboxTests {
    private static let pictures = #""task_result":{"images":[{"index":0,"url":"https://kling.example/1.png"}]}"#

    /// Runs `body` with a gateway that has one task, which Kling knows as 815.
    /// - Parameter isOpen: whether the task's create is open, so that Kling's id isn't known.
    private func run(
        isOpen: Bool = false,
        _ body: (CallbackInbox, WorkingKling, @escaping () async throws -> TaskRecord) async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder()
        let store = try SQLiteTaskStore.open(path: folder.path("gateway.db"))
        let loop = try EventLoop(name: "inbox")
        let kling = WorkingKling()
        let reader = KlingReader()
        let tasks = TryOnTasks(
            options: TryOnTasks.Options(), store: store, caller: KlingCaller(upstream: kling, observer: Silence()),
            accounts: Accounts([account("main", hasLookup: true)]), queue: nil, callbackDelivery: nil,
            callbackTokens: CallbackTokens(Vault(try MasterKey(Secret("a master key of some length")))),
            cache: TaskCache(capacity: 10, bytes: 1 << 20), watcher: Watcher(reader: reader, on: loop, seed: 1),
            loop: loop)
        reader.serve(tasks)
        let id = taskIDs(1)[0]
        try await store.begin(
            NewTask(
                id: id, tenant: "shop", assignment: Assignment(account: "main"), model: "m",
                createdAt: WallClock.milliseconds))
        if !isOpen {
            let answer = try #require(
                KlingAnswer(Array(#"{"code":0,"data":{"task_id":"815","task_status":"submitted"}}"#.utf8)))
            let account = try #require(tasks.accounts.named("main"))
            _ = try await tasks.ledger.accept(
                try #require(answer.task), in: answer, upstreamID: "815", id, by: account)
        }
        let failure: (any Error)?
        do {
            try await body(CallbackInbox(tasks: tasks), kling) { try #require(try await store.task(id)) }
            failure = nil
        } catch { failure = error }
        await tasks.ledger.watcher.stop()
        await tasks.background.stop()
        await store.close()
        loop.stop()
        if let failure { throw failure }
    }

    private func object(_ members: String) throws -> TaskObject { try #require(TaskObject(Array("{\(members)}".utf8))) }

    @Test(arguments: [
        (#""task_id":"815","task_status":"processing""#, TaskState.processing),
        (#""task_id":"815","task_status":"succeed",\#(pictures)"#, .succeed),
        (#""task_id":"815","task_status":"failed","task_status_msg":"no person""#, .failed),
    ])
    func `a complete state is applied without a query`(said: String, state: TaskState) async throws {
        try await run { inbox, kling, record in
            let said = try object(said)
            await inbox.observed(try await record().id, said)
            let known = try await record()
            #expect(known.state == state && known.answer == Array(said.json))
            #expect(kling.calls.count == 0)
        }
    }

    @Test(arguments: [
        #""task_id":"815","task_status":"succeed""#, #""task_id":"815","task_status":"pondering""#,
        #""task_id":"816","task_status":"failed""#,
    ])
    func `an incomplete or mismatched state makes the gateway query Kling`(said: String) async throws {
        try await run { inbox, kling, record in
            await inbox.observed(try await record().id, try object(said))
            #expect(try await kling.next().path.hasSuffix("/815"))
            #expect(try await !record().state.isFinal)
        }
    }

    @Test func `an observation of an open create makes the gateway look it up`() async throws {
        try await run(isOpen: true) { inbox, kling, record in
            let id = try await record().id
            await inbox.observed(id, try object(#""task_id":"815","task_status":"failed""#))
            #expect(try await kling.next().path.hasSuffix("/\(id)"))
            #expect(try await !record().state.isFinal)
        }
    }

    @Test func `late observations are ignored`() async throws {
        try await run { inbox, kling, record in
            let id = try await record().id
            await inbox.observed(id, try object(#""task_id":"815","task_status":"succeed",\#(Self.pictures)"#))
            let ended = try await record()
            for word in ["submitted", "processing", "failed"] {
                await inbox.observed(id, try object(#""task_id":"815","task_status":"\#(word)""#))
            }
            #expect(try await record() == ended && kling.calls.count == 0)
        }
    }
}
