import Base
import EventLoop
import KlingAPI
import TestKit
import Testing

@testable import Gateway
@testable import TaskStore

/// The watcher's calls to Kling, and what is done with the answers.
@Suite(.onEventLoop, .timeLimit(.minutes(1))) struct KlingReaderTests {
    private typealias Fixture = TaskFixture<AnsweringKling>

    private static func account(_ dialect: KlingDialect) -> Account {
        Account(
            name: "main", baseURL: "https://main.test", credential: .apiKey(Secret("unused")), hasLookup: true,
            dialect: dialect)
    }

    private func run(
        _ dialect: KlingDialect, _ kling: AnsweringKling,
        _ body: @escaping @Sendable (Fixture, KlingReader) async throws -> Void
    ) async throws {
        try await Fixture.run(kling, [Self.account(dialect)]) { fixture in
            let reader = KlingReader()
            reader.serve(fixture.tasks)
            try await body(fixture, reader)
        }
    }

    /// The task `kling-<number>`, which was sent with an API.
    private static func add(
        _ number: Int, _ dialect: KlingDialect = .kolors, to store: any TaskStore
    ) async throws -> WatchedID {
        let watched = WatchedID(id: id(number), upstreamID: "kling-\(number)")
        try await store.begin(
            NewTask(
                id: watched.id, tenant: "shop", assignment: Assignment(account: "main", api: dialect.rawValue),
                model: "m", createdAt: 1))
        let acceptance = Acceptance(
            upstreamID: watched.upstreamID, publicID: watched.upstreamID, state: .submitted, statusWord: "submitted",
            answer: Array("{}".utf8), at: 1)
        _ = try await store.accept(watched.id, acceptance) { _ in StoredAnswer(status: 200, body: []) }
        return watched
    }

    // MARK: Lists

    /// A page's tasks, or why there is none.
    private static func list(_ reader: KlingReader, page: Int = 1, of account: String = "main") async -> String {
        do throws(TaskReadFailure) {
            let page = try await reader.list(account, page: page)
            return page.tasks.compactMap(\.taskID).joined(separator: " ") + (page.isLast ? "." : "...")
        } catch {
            return "\(error)"
        }
    }

    @Test(arguments: [
        (200, #"{"code":0,"data":[{"task_id":"1"},{"task_id":"2"}]}"#, "1 2."), (200, #"{"code":0,"data":[]}"#, "."),
        (404, "", "noList"), (405, "<html>", "noList"), (501, "", "noList"),
        (404, #"{"code":1203}"#, "noList"), (200, #"{"code":0}"#, "unavailable"),
        (200, #"{"code":0,"data":{}}"#, "unavailable"), (200, "<html>", "unavailable"),
        (401, #"{"code":1002}"#, "unavailable"), (429, #"{"code":1302}"#, "unavailable"),
        (404, #"{"code":1302}"#, "unavailable"), (500, "", "unavailable"), (503, #"{"code":5001}"#, "unavailable"),
    ])
    func `a list is a page, missing for good, or unavailable now`(
        status: Int, body: String, expected: String
    ) async throws {
        try await run(.kolors, AnsweringKling([KlingReply(status, body)])) { _, reader in
            #expect(await Self.list(reader) == expected)
        }
    }

    @Test func `without an answer, an account or tasks, a list is unavailable`() async throws {
        let kling = AnsweringKling { _ throws(KlingFailure) in
            throw KlingFailure(.unreachable, wasSent: false, detail: "")
        }
        try await run(.kolors, kling) { fixture, reader in
            #expect(await Self.list(reader) == "unavailable")
            #expect(await Self.list(reader, of: "gone") == "unavailable")
            #expect(await Self.list(KlingReader()) == "unavailable")
            #expect(fixture.kling.calls.count == 1)
        }
    }

    @Test func `the older API's pages are read by number, in any order`() async throws {
        let full = (1...TryOn.pageSizes.upperBound).map { #"{"task_id":"\#($0)"}"# }.joined(separator: ",")
        let replies = [KlingReply(200, #"{"code":0,"data":[{"task_id":"9"}]}"#)]
        let kling = AnsweringKling(replies + [KlingReply(200, #"{"code":0,"data":[\#(full)]}"#)])
        try await run(.kolors, kling) { fixture, reader in
            #expect(await Self.list(reader, page: 3) == "9.")
            #expect(await Self.list(reader).hasSuffix("..."))
            let size = TryOn.pageSizes.upperBound
            #expect(
                fixture.kling.calls.map(\.path)
                    == [3, 1].map { "\(TryOn.path)?pageNum=\($0)&pageSize=\(size)" })
        }
    }

    @Test func `the newer API's pages are read by the cursor of the page before`() async throws {
        func page(_ id: Int, next: String) -> KlingReply {
            KlingReply(
                200, #"{"code":0,"data":{"result":[{"id":"\#(id)","status":"submitted"}],"next_cursor":"\#(next)"}}"#)
        }
        let kling = AnsweringKling([page(1, next: "c-2"), page(2, next: "c-3"), page(1, next: ""), page(9, next: "")])
        try await run(.solutions, kling) { fixture, reader in
            // Without its cursor, a page counts as empty, so that the next run starts again.
            #expect(await Self.list(reader, page: 2) == ".")
            #expect(fixture.kling.calls.isEmpty)
            #expect(await Self.list(reader) == "1...")
            #expect(await Self.list(reader, page: 2) == "2...")
            // The first page is the last by now, so the old cursor is not used again.
            #expect(await Self.list(reader) == "1.")
            #expect(await Self.list(reader, page: 2) == ".")
            #expect(await Self.list(reader, page: 3) == "9.")
            let cursors = fixture.kling.calls.map { call in
                JSONObject(call.body.flatMap { slice in slice.withUnsafeBytes { Array($0) } })?.string("cursor")
            }
            #expect(cursors == [nil, "c-2", nil, "c-3"])
        }
    }

    // MARK: Queries

    private static func word(_ reading: TaskReading) -> String {
        switch reading {
        case .found(let object): object.status?.rawValue ?? "-"
        case .unknown: "unknown"
        case .failed: "failed"
        }
    }

    @Test(arguments: [
        (200, #"{"code":0,"data":{"task_id":"kling-1","task_status":"succeed"}}"#, "succeed"),
        (200, #"{"code":0,"data":{"task_id":"kling-9","task_status":"succeed"}}"#, "failed"),
        (404, #"{"code":1203}"#, "unknown"), (400, #"{"code":1201}"#, "unknown"),
        (400, #"{"code":"task_not_exist"}"#, "unknown"), (404, "", "failed"), (429, #"{"code":1302}"#, "failed"),
        (500, "", "failed"), (200, "<html>", "failed"),
    ])
    func `a query returns only what Kling says about the right task`(
        status: Int, body: String, expected: String
    ) async throws {
        try await run(.kolors, AnsweringKling([KlingReply(status, body)])) { fixture, reader in
            let watched = try await Self.add(1, to: fixture.store)
            #expect(await reader.query("main", [watched]).map(Self.word) == [expected])
        }
    }

    @Test func `tasks are queried with the API that each was sent with, and answered in their order`() async throws {
        let kling = AnsweringKling { call in
            let words = ["kling-1": "processing", "kling-2": "succeed", "kling-3": "failed"]
            if let name = call.path.split(separator: "/").last, let word = words[String(name)] {
                return KlingReply(200, #"{"code":0,"data":{"task_id":"\#(name)","task_status":"\#(word)"}}"#)
            }
            let elements = words.filter { call.path.contains($0.key) }.map {
                #"{"id":"\#($0.key)","status":"\#($0.value)"}"#
            }
            return KlingReply(200, #"{"code":0,"data":[\#(elements.joined(separator: ","))]}"#)
        }
        try await run(.solutions, kling) { fixture, reader in
            #expect(reader.tasksPerQuery("main") == 20 && reader.tasksPerQuery("gone") == 1)
            let watched = [
                try await Self.add(1, .solutions, to: fixture.store), try await Self.add(2, to: fixture.store),
                WatchedID(id: id(8), upstreamID: "kling-8"), try await Self.add(3, .solutions, to: fixture.store),
                try await Self.add(4, .solutions, to: fixture.store),
            ]
            let readings = await reader.query("main", watched).map(Self.word)
            #expect(readings == ["processing", "succeed", "failed", "failed", "unknown"])
            #expect(
                Set(fixture.kling.calls.map(\.path))
                    == ["\(TryOn.path)/kling-2", "\(Solutions.path)?task_ids=kling-1,kling-3,kling-4"])
        }
        try await run(.kolors, AnsweringKling([])) { fixture, reader in
            #expect(reader.tasksPerQuery("main") == 1)
            let watched = WatchedID(id: id(1), upstreamID: "kling-1")
            #expect(await reader.query("gone", [watched]).map(Self.word) == ["failed"])
            #expect(await KlingReader().query("main", [watched]).map(Self.word) == ["failed"])
            #expect(fixture.kling.calls.isEmpty)
        }
    }

    // MARK: Records

    @Test(arguments: [
        (#""task_status":"processing""#, TaskProgress.unfinished, TaskState.processing),
        (#""task_status":"succeed""#, .ended, .succeed), (#""task_status":"failed""#, .ended, .failed),
        (#""task_status":"pondering""#, .unfinished, .submitted),
    ])
    func `what Kling says about a task is recorded`(
        members: String, expected: TaskProgress, state: TaskState
    ) async throws {
        let object = try #require(TaskObject(Array("{\(members)}".utf8)))
        try await run(.kolors, AnsweringKling([])) { fixture, reader in
            let watched = try await Self.add(1, to: fixture.store)
            let found = [FoundTask(id: watched.id, object: object), FoundTask(id: id(9), object: object)]
            // A task that the store no longer has needs no more calls.
            #expect(await reader.found(found) == [expected, .ended])
            #expect(try await fixture.store.task(watched.id)?.state == state)
            #expect(await KlingReader().found(found) == [.unfinished, .unfinished])
        }
    }

    @Test func `a task that Kling does not know is flagged until it knows it again`() async throws {
        try await run(.kolors, AnsweringKling([])) { fixture, reader in
            let watched = try await Self.add(1, to: fixture.store)
            for (isStuck, flags) in [(true, TaskFlags.stuck), (false, [])] {
                await reader.flag(watched.id, isStuck: isStuck)
                #expect(try await fixture.store.task(watched.id)?.flags == flags)
            }
        }
    }
}
