import Base
import EventLoop
import KlingAPI
import TestKit
import Testing

@testable import Gateway
@testable import TaskStore

@Suite(.onEventLoop, .timeLimit(.minutes(5))) struct JobTests {
    // MARK: Making

    @Test func `a job exists once its first task is accepted, and the others follow`() async throws {
        let kling = ScriptedKling()
        kling.hold(from: 2)
        var options = JobFixture.Options()
        options.json = #"{"external_task_id":"order-1","# + options.json.dropFirst()
        try await JobFixture.run(kling, options) { fixture in
            let job = try await fixture.create(fixture.job(4) { $0.record = [1, 2] })
            #expect(job.tasks.map(\.state) == [.submitted, .intent, .intent, .intent])
            #expect(job.request == [1, 2] && job.shape == "useapi")
            #expect(job.tasks[0].publicID == "kling-1")
            #expect(job.tasks.map(\.externalTaskID) == ["order-1", nil, nil, nil])
            kling.release()
            let whole = try await fixture.job(job.number) { $0.tasks.allSatisfy { $0.upstreamID != nil } }
            #expect(Set(whole.tasks.map(\.publicID)) == ["kling-1", "kling-2", "kling-3", "kling-4"])
            #expect(kling.creates == 4)
        }
    }

    @Test func `a later task that Kling refuses fails in the job without an error`() async throws {
        let kling = ScriptedKling([.accept, .refuse(status: 400, code: 1301)])
        try await JobFixture.run(kling) { fixture in
            let number = try await fixture.create(fixture.job(4)).number
            let job = try await fixture.job(number) { $0.tasks.allSatisfy { $0.state != .intent } }
            let failed = job.tasks.filter { $0.state == .failed }
            #expect(failed.map(\.statusWord) == ["no, says Kling"])
            #expect(failed.map(\.publicID) == failed.map(\.id.description))
            #expect(job.tasks.filter { $0.state == .submitted }.count == 3 && kling.creates == 4)
        }
    }

    @Test func `a job whose first task is refused for good is not made`() async throws {
        let kling = ScriptedKling([.refuse(status: 400, code: 1301)])
        try await JobFixture.run(kling) { fixture in
            let key = IdempotencyKey(key: "try-1", fingerprint: [1])
            let request = fixture.job(4) { ($0.idempotency, $0.fingerprint) = (key, [9]) }
            let error = await fixture.refusal(request, JobFixture.principal(concurrency: 4))
            #expect(error?.cause == .refused && error?.message == "no, says Kling" && kling.creates == 1)
            #expect(try await fixture.store.jobs.latest(tenant: "shop", fingerprint: [9], since: 0) == nil)
            #expect(try await fixture.store.unfinished(after: nil, limit: 9).isEmpty)
            let kept = try await fixture.store.idempotency(tenant: "shop", key: "try-1")?.answer
            #expect(kept == StoredAnswer(status: 400, body: Array("no, says Kling".utf8)))
            #expect(
                fixture.tasks.ledger.queue?.figures.tasks == 0 && fixture.tasks.jobs.answering.withLock { $0.isEmpty })
            // The refused job no longer counts toward the limit.
            _ = try await fixture.create(fixture.job(4), JobFixture.principal(concurrency: 4))
        }
    }

    @Test func `a job whose first task is open fails with an error that names it, and sends no more`() async throws {
        let kling = ScriptedKling([.lose])
        var options = JobFixture.Options()
        options.accounts = [account("main", hasLookup: false)]
        try await JobFixture.run(kling, options) { fixture in
            let key = IdempotencyKey(key: "try-1", fingerprint: [1])
            let error = try #require(await fixture.refusal(fixture.job(3) { $0.idempotency = key }))
            #expect(error.cause == .upstreamTimedOut)
            let number = try #require(error.job)
            let job = try await fixture.job(number) { $0.tasks[0].flags == .unknown }
            #expect(job.tasks[0].publicID == error.taskID && job.tasks[0].state == .intent)
            #expect(job.tasks[1...].map(\.state) == [.failed, .failed])
            #expect(job.tasks[1...].allSatisfy { $0.statusWord == "not sent; nothing was charged" })
            #expect(kling.creates == 1 && fixture.tasks.ledger.queue?.figures.tasks == 0)
            let known = try #require(try await fixture.store.idempotency(tenant: "shop", key: "try-1"))
            #expect(try await fixture.tasks.jobs.unanswered(known) == nil)
        }
    }

    @Test func `a job continues when its client leaves`() async throws {
        let kling = ScriptedKling()
        kling.hold(from: 1)
        try await JobFixture.run(kling) { fixture in
            let request = fixture.job(2) { $0.fingerprint = [9] }
            let create = fixture.loop.spawn { await fixture.refusal(request)?.cause }
            #expect(await kling.arrivals.next() == 1)
            create.cancel()
            kling.release()
            #expect(await create.value == nil)
            let made = try #require(try await fixture.tasks.jobs.latest([9], tenant: "shop", since: 0))
            _ = try await fixture.job(made.number) { $0.tasks.allSatisfy { $0.upstreamID != nil } }
        }
    }

    // MARK: Admission

    @Test func `without a queue, a job must fit into the accounts' limits`() async throws {
        var options = JobFixture.Options()
        options.accounts = [account("main", concurrency: 3, hasLookup: true)]
        options.queue = nil
        let kling = ScriptedKling()
        try await JobFixture.run(kling, options) { fixture in
            #expect(await fixture.refusal(fixture.job(4))?.cause == .accountsFull)
            #expect(kling.creates == 0 && fixture.tasks.accounts.figures()[0].running == 0)
            #expect(try await fixture.store.unfinished(after: nil, limit: 9).isEmpty)
            let job = try await fixture.create(fixture.job(3))
            _ = try await fixture.job(job.number) { $0.tasks.allSatisfy { $0.upstreamID != nil } }
        }
    }

    @Test func `a job is queued whole or not at all`() async throws {
        var options = JobFixture.Options()
        options.dispatchWait = .milliseconds(1)
        options.accounts = [account("main", concurrency: 1, hasLookup: true)]
        options.queue = QueueBounds(tasks: 3, bytes: 1 << 20, maxAge: 3_600_000)
        let kling = ScriptedKling()
        try await JobFixture.run(kling, options) { fixture in
            let running = try await fixture.create(fixture.job(1))
            #expect(await fixture.refusal(fixture.job(4))?.cause == .accountsFull)
            #expect(fixture.tasks.ledger.queue?.figures.tasks == 0)
            #expect(try await fixture.store.unfinished(after: nil, limit: 9).count == 1)
            let job = try await fixture.create(fixture.job(3))
            #expect(job.tasks.map(\.state) == [.queued, .queued, .queued] && kling.creates == 1)
            #expect(job.tasks.map(\.publicID) == job.tasks.map(\.id.description))
            #expect(fixture.tasks.ledger.queue?.figures.tasks == 3)
            try await fixture.hear("succeed", of: running.tasks[0])
            let sent = try await fixture.job(job.number) { $0.tasks[0].upstreamID != nil }
            #expect(sent.tasks.map(\.state) == [.submitted, .queued, .queued])
        }
    }

    @Test func `later tasks without room wait in the queue`() async throws {
        var options = JobFixture.Options()
        options.dispatchWait = .milliseconds(1)
        options.accounts = [account("main", concurrency: 1, hasLookup: true)]
        try await JobFixture.run(ScriptedKling(), options) { fixture in
            let number = try await fixture.create(fixture.job(2)).number
            var job = try await fixture.job(number) { $0.tasks[1].state == .queued }
            try await fixture.hear("succeed", of: job.tasks[0])
            job = try await fixture.job(number) { $0.tasks[1].upstreamID != nil }
            #expect(job.tasks[1].publicID == job.tasks[1].id.description)
        }
    }

    @Test func `all tasks of a job count toward the key's limit, and jobs toward the tenant's`() async throws {
        try await JobFixture.run { fixture in
            let three = JobFixture.principal(concurrency: 3)
            #expect(await fixture.refusal(fixture.job(4), three)?.cause == .badParameter)
            let job = try await fixture.create(fixture.job(3), three)
            #expect(await fixture.refusal(fixture.job(1), three)?.cause == .runningTasks)
            #expect(await fixture.refusal(fixture.job(1) { $0.maxJobs = 1 })?.cause == .runningTasks)
            let whole = try await fixture.job(job.number) { $0.tasks.allSatisfy { $0.upstreamID != nil } }
            while fixture.tasks.attempts.inFlight.withLock({ $0 }) > 0 { await Task.yield() }
            #expect(fixture.tasks.ledger.queue?.figures.tasks == 0)
            for task in whole.tasks { try await fixture.hear("succeed", of: task) }
            _ = try await fixture.create(fixture.job(1) { $0.maxJobs = 1 }, three)
        }
    }

    @Test func `a job that names an account runs there`() async throws {
        var options = JobFixture.Options()
        options.dispatchWait = .milliseconds(1)
        options.accounts = [account("main", weight: 100), account("second", concurrency: 1, hasLookup: true)]
        try await JobFixture.run(ScriptedKling(), options) { fixture in
            let unknown = await fixture.refusal(fixture.job(1) { $0.account = "third" })
            #expect(unknown?.cause == .badParameter && unknown?.parameter == "email")
            let number = try await fixture.create(fixture.job(2) { $0.account = "second" }).number
            let job = try await fixture.job(number) { $0.tasks[1].state == .queued }
            // No other account gets the task that waits for this one.
            _ = try await fixture.job(try await fixture.create(fixture.job(1)).number) { $0.tasks[0].account == "main" }
            #expect(fixture.tasks.ledger.queue?.next(where: fixture.tasks.accounts.mayServe) == nil)
            try await fixture.hear("succeed", of: job.tasks[0])
            let whole = try await fixture.job(number) { $0.tasks[1].upstreamID != nil }
            #expect(whole.tasks.map(\.account) == ["second", "second"])
        }
    }
}
