import Base
import KlingAPI
import TaskStore
import TestKit
import Testing

@testable import Gateway

@Suite(.onEventLoop) struct TaskEntryTests {
    private let start = MonotonicTime(nanoseconds: 1_000_000_000_000)

    /// A record as the store returns it, with Kling's answer.
    private func record(
        _ status: String, state: TaskState, externalTaskID: String? = nil, answerLength: Int = 0
    ) async throws -> TaskRecord {
        let folder = try TemporaryFolder()
        let store = try SQLiteTaskStore.open(path: folder.path("gateway.db"))
        var ids = TaskIDGenerator()
        let id = ids.next(at: 1)
        try await store.begin(
            NewTask(
                id: id, tenant: "shop", assignment: Assignment(account: "kling"), externalTaskID: externalTaskID,
                model: "m", createdAt: 1))
        let members = #""task_id":"815","task_status":"\#(status)","task_info":{"external_task_id":"\#(id)"}"#
        let long = String(repeating: "A", count: answerLength)
        let answer = Array(#"{\#(members),"seen":"\#(id)","long":"\#(long)"}"#.utf8)
        let record = try await store.accept(
            id,
            Acceptance(upstreamID: "815", publicID: "815", state: state, statusWord: status, answer: answer, at: 2)
        ) { _ in StoredAnswer(status: 200, body: answer) }
        await store.close()
        return record
    }

    @Test func `a finished task with a long answer is returned whole each time`() async throws {
        let entry = TaskEntry(
            try await record("succeed", state: .succeed, answerLength: 100_000), now: start)
        #expect(!entry.isKept)
        for _ in 0..<2 { #expect(try #require(entry.finishedJSON()).count > 100_000) }
    }

    private func isAnswer(_ action: TaskEntry.Action) -> Bool { if case .answer = action { true } else { false } }

    @Test func `queries of an unfinished task share one call, until its freshness has expired`() async throws {
        let entry = TaskEntry(try await record("submitted", state: .submitted), now: start)
        let known = entry.record
        let call = Task { Refreshed(record: known) }
        guard case .began = entry.query(now: start, freshness: .seconds(1), begin: { call }) else {
            Issue.record("the first query did not ask")
            return
        }
        guard case .join = entry.query(now: start, freshness: .seconds(1), begin: { call }) else {
            Issue.record("the second query did not wait for the first")
            return
        }
        _ = entry.finish(known, now: start + .milliseconds(10))
        #expect(isAnswer(entry.query(now: start + .milliseconds(900), freshness: .seconds(1), begin: { call })))
        guard case .began = entry.query(now: start + .milliseconds(1100), freshness: .seconds(1), begin: { call })
        else {
            Issue.record("a stale task was not asked for")
            return
        }
    }

    @Test func `a failed call returns the last known state and its age`() async throws {
        let entry = TaskEntry(try await record("submitted", state: .submitted), now: start)
        let known = entry.record
        _ = entry.query(now: start + .seconds(5), freshness: .seconds(1), begin: { Task { Refreshed(record: known) } })
        let (record, staleness) = entry.finish(nil, now: start + .seconds(7))
        #expect(record == known)
        #expect(staleness == .seconds(7))
    }

    @Test func `a finished task is answered without a call`() async throws {
        let entry = TaskEntry(try await record("succeed", state: .succeed), now: start)
        let known = entry.record
        #expect(isAnswer(entry.query(now: start, freshness: .zero, begin: { Task { Refreshed(record: known) } })))
        #expect(entry.finishedJSON() != nil)
    }

    @Test func `an older record never replaces a newer one`() async throws {
        let entry = TaskEntry(try await record("succeed", state: .succeed), now: start)
        entry.update(try await record("submitted", state: .submitted), now: start)
        #expect(entry.record.state == .succeed)
    }

    @Test(arguments: [nil, "order-1"] as [String?])
    func `the gateway's own id is never shown, but the client's is`(externalTaskID: String?) async throws {
        let record = try await record("submitted", state: .submitted, externalTaskID: externalTaskID)
        let json = String(decoding: TaskView.json(record), as: UTF8.self)
        #expect(!json.contains(record.id.description))
        #expect(json.contains("order-1") == (externalTaskID != nil))
        #expect(json.contains(#""task_id":"815""#))
    }
}
