import Base
import EventLoop
import KlingAPI
import TestKit
import Testing

@testable import Gateway
@testable import TaskStore

/// What the gateway learns about an account from its answers about one task.
@Suite(.onEventLoop, .timeLimit(.minutes(1))) struct AccountProbeTests {
    private typealias Fixture = TaskFixture<AnsweringKling>

    private static let task = id(7)
    private static let unknown = KlingReply(404, #"{"code":1203,"message":"no such task"}"#)
    private static let silent = KlingReply(502, "<html>")
    private static let noRoute = KlingReply(404, "")
    private static let page = KlingReply(200, #"{"code":0,"data":{"result":[],"has_more":false}}"#)

    /// An answer to a query, with the account's id of the task and the id that it was given by the gateway.
    private static func found(_ upstreamID: String, _ external: TaskID? = nil) -> KlingReply {
        let info = external.map { #","task_info":{"external_task_id":"\#($0)"}"# } ?? ""
        return KlingReply(200, #"{"code":0,"data":{"task_id":"\#(upstreamID)","task_status":"submitted"\#(info)}}"#)
    }

    /// The task that Kling has as `k-1`.
    private static var record: TaskRecord {
        var record = TaskRecord(
            NewTask(id: task, tenant: "shop", assignment: Assignment(account: "main"), model: "m", createdAt: 1))
        record.upstreamID = "k-1"
        return record
    }

    /// Waits until Kling was called `count` times and the last answer has taken effect.
    private static func wait(forCalls count: Int, _ fixture: Fixture) async throws {
        while fixture.kling.calls.count < count {
            try Task.checkCancellation()
            await Task.yield()
        }
        for _ in 0..<10 { await Task.yield() }
        #expect(fixture.kling.calls.count == count)
    }

    // MARK: Look-up

    /// The answers; what they show, and how many seconds that takes.
    private static let lookups: [([KlingReply], hasLookup: Bool?, seconds: Double)] = [
        ([found("k-1", task)], true, 0),
        // The right task without the gateway's id: the next such answer could be about any task.
        ([found("k-1")], false, 0),
        ([found("k-9")], nil, 0), ([found("k-1", id(8))], nil, 0), ([silent], nil, 0),
        ([unknown, found("k-1", task)], true, 5), ([unknown, unknown], false, 5), ([unknown, found("k-1")], false, 5),
        ([unknown, silent], nil, 5),
    ]

    @Test(arguments: lookups.indices)
    func `whether an account finds tasks by the gateway's ids is learned from a task that it has`(
        row: Int
    ) async throws {
        let (replies, hasLookup, seconds) = Self.lookups[row]
        let account = account("main")
        try await Fixture.run(AnsweringKling(replies), [account]) { fixture in
            fixture.tasks.probes.learnLookup(account, Self.record)
            try await Self.wait(forCalls: replies.count, fixture)
            #expect(account.capabilities.hasLookup == hasLookup && fixture.clock.now == moment(seconds))
            #expect(fixture.kling.calls.allSatisfy { $0.path == "\(TryOn.path)/\(Self.task)" })
        }
    }

    @Test func `an account is asked at most once a minute, and not at all once it is known`() async throws {
        let account = account("main")
        let kling = AnsweringKling([Self.silent, Self.found("k-1", Self.task)])
        try await Fixture.run(kling, [account]) { fixture in
            for (pause, calls) in [(0, 1), (59, 1), (1, 2), (60, 2)] {
                fixture.clock.pass(.seconds(pause))
                fixture.tasks.probes.learnLookup(account, Self.record)
                try await Self.wait(forCalls: calls, fixture)
            }
            #expect(account.capabilities.hasLookup == true)
        }
    }

    @Test(arguments: [true, false])
    func `a configured trait is not asked for`(hasLookup: Bool) async throws {
        let account = account("main", hasLookup: hasLookup)
        try await Fixture.run(AnsweringKling([]), [account]) { fixture in
            fixture.tasks.probes.learnLookup(account, Self.record)
            try await Self.wait(forCalls: 0, fixture)
        }
    }

    // MARK: Open creates

    @Test func `a look-up is about the right task only, and proves nothing with an outdated API`() async throws {
        let account = account("main")
        let replies = [
            Self.found("k-1", Self.task), Self.found("k-1"), Self.unknown, Self.silent, Self.unknown,
        ]
        try await Fixture.run(AnsweringKling(replies), [account]) { fixture in
            let destination = Destination(account)
            var answers: [LookUpPlan.Answer] = []
            for _ in 0..<4 { answers.append(await fixture.tasks.probes.lookUp(Self.task, at: destination).answer) }
            account.capabilities.learn(AccountTraits(dialect: .solutions))
            answers.append(await fixture.tasks.probes.lookUp(Self.task, at: destination).answer)
            #expect(
                answers == [.found, LookUpPlan.Answer.none, .unknown, LookUpPlan.Answer.none, LookUpPlan.Answer.none])
        }
    }

    @Test func `an account without look-up knows no open create, and is not asked`() async throws {
        let account = account("main", hasLookup: false)
        try await Fixture.run(AnsweringKling([]), [account]) { fixture in
            let found = await fixture.tasks.probes.lookUp(Self.task, at: Destination(account))
            #expect(found.answer == .unknown && fixture.kling.calls.isEmpty)
        }
    }

    // MARK: Unique ids

    /// The answer 5 seconds after a repeated create was accepted, and whether it shows a second task.
    private static let uniqueness: [(KlingReply, showsTwo: Bool)] = [
        (found("k-1", task), false), (found("k-9", task), true), (found("k-9"), false), (unknown, false),
        (silent, false),
    ]

    @Test(arguments: uniqueness.indices)
    func `an account that made two tasks for one id is not trusted again`(row: Int) async throws {
        let (reply, showsTwo) = Self.uniqueness[row]
        let account = account("main", hasLookup: true)
        account.capabilities.learn(AccountTraits(hasUniqueIDs: true))
        try await Fixture.run(AnsweringKling([reply]), [account]) { fixture in
            fixture.tasks.probes.checkUniqueness(Self.record, at: account)
            try await Self.wait(forCalls: 1, fixture)
            #expect(account.capabilities.hasUniqueIDs == !showsTwo && fixture.clock.now == moment(5))
            #expect(fixture.events.count == (showsTwo ? 1 : 0))
        }
    }

    // MARK: The API

    /// The answers to a list call of the API in use and of the other one; which API is right, and the number of calls.
    private static let lists: [([KlingReply], KlingDialect, calls: Int)] = [
        ([noRoute, page], .solutions, 2), ([noRoute, noRoute], .kolors, 2), ([noRoute, silent], .kolors, 2),
        ([KlingReply(200, #"{"code":0,"data":[]}"#)], .kolors, 1), ([silent], .kolors, 1),
    ]

    @Test(arguments: lists.indices)
    func `an account that does not find a task is asked which API it speaks`(row: Int) async throws {
        let (replies, dialect, calls) = Self.lists[row]
        let account = account("main")
        try await Fixture.run(AnsweringKling(replies), [account]) { fixture in
            #expect(fixture.tasks.accounts.reserve(Self.task, model: "m") != nil)
            fixture.tasks.accounts.settled(Self.task, on: "main", .accepted)
            for _ in 0..<2 { await fixture.tasks.probes.miss([Self.task], at: Destination(account, .kolors)) }
            #expect(account.capabilities.dialect == dialect && fixture.kling.calls.count == calls)
            // Only a task of an API that the account no longer speaks takes up no slot.
            #expect(fixture.tasks.accounts.figures()[0].running == (dialect == .solutions ? 0 : 1))
        }
    }

    @Test func `an account whose API is configured is not asked for another`() async throws {
        let account = Account(
            name: "main", baseURL: "https://main.test", credential: .apiKey(Secret("unused")), dialect: .kolors)
        try await Fixture.run(AnsweringKling([]), [account]) { fixture in
            await fixture.tasks.probes.miss([Self.task], at: Destination(account))
            #expect(fixture.kling.calls.isEmpty)
        }
    }
}
