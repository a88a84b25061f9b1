import Base
import EventLoop
import KlingAPI
import TestKit
import Testing

@testable import Gateway
@testable import TaskStore

/// The life of a job after its creation.
@Suite(.onEventLoop, .timeLimit(.minutes(5))) struct JobLifeTests {
    private func makeSentJob(_ fixture: JobFixture, _ request: JobRequest) async throws -> JobRecord {
        try await fixture.job(try await fixture.create(request).number) { $0.tasks.allSatisfy { $0.upstreamID != nil } }
    }

    // MARK: Waiting

    @Test func `a wait ends when the last task ends`() async throws {
        try await JobFixture.run { fixture in
            let job = try await makeSentJob(fixture, fixture.job(2))
            let end = fixture.loop.spawn {
                await fixture.tasks.jobs.ended(job, until: .now + .seconds(600))
            }
            while fixture.tasks.ledger.ends.count == 0 { await Task.yield() }
            try await fixture.hear("failed", of: job.tasks[1])
            try await fixture.hear("succeed", of: job.tasks[0])
            #expect(await end.value.tasks.map(\.state) == [.succeed, .failed])
            let again = await fixture.tasks.jobs.ended(job, until: .now + .seconds(600))
            #expect(again.isFinal && fixture.tasks.ledger.ends.count == 0)
        }
    }

    @Test func `a wait ends at its deadline, or when its caller leaves`() async throws {
        try await JobFixture.run { fixture in
            let job = try await makeSentJob(fixture, fixture.job(2))
            let soon = await fixture.tasks.jobs.ended(job, until: .now + .milliseconds(20))
            #expect(soon.tasks.map(\.state) == [.submitted, .submitted])
            let left = fixture.loop.spawn {
                await fixture.tasks.jobs.ended(job, until: .now + .seconds(600))
            }
            while fixture.tasks.ledger.ends.count == 0 { await Task.yield() }
            left.cancel()
            #expect(await left.value.isFinal == false)
            #expect(fixture.tasks.ledger.ends.count == 0)
        }
    }

    @Test func `a wait ends when the job is refused`() async throws {
        let kling = ScriptedKling([.refuse(status: 400, code: 1301)])
        kling.hold(from: 1)
        try await JobFixture.run(kling) { fixture in
            let request = fixture.job(2) { $0.fingerprint = [9] }
            let create = fixture.loop.spawn { await fixture.refusal(request)?.cause }
            #expect(await kling.arrivals.next() == 1)
            let job = try #require(try await fixture.tasks.jobs.latest([9], tenant: "shop", since: 0))
            let end = fixture.loop.spawn {
                await fixture.tasks.jobs.ended(job, until: .now + .seconds(600))
            }
            while fixture.tasks.ledger.ends.count == 0 { await Task.yield() }
            kling.release()
            #expect(await end.value.tasks.map(\.state) == [.refused, .refused])
            #expect(await create.value == .refused)
        }
    }

    // MARK: Query

    @Test func `a query refreshes unfinished tasks, only for the job's tenant`() async throws {
        try await JobFixture.run { fixture in
            let job = try await makeSentJob(fixture, fixture.job(2))
            let note = ExchangeNote(requestID: "r")
            try await fixture.hear("succeed", of: job.tasks[0])
            fixture.kling.set(try #require(job.tasks[1].upstreamID), "processing")
            let found = try await fixture.tasks.jobs.find(job.number, tenant: "shop", note)
            #expect(found.job.tasks.map(\.state) == [.succeed, .processing] && found.staleness == nil)
            #expect(note.upstreamTime != nil)
            await #expect(throws: GatewayError.self) {
                try await fixture.tasks.jobs.find(job.number, tenant: "other", note)
            }
            let known = try await fixture.tasks.store.jobs.list(
                tenant: "shop", shape: "useapi", createdAfter: nil, createdBefore: nil, limit: 5)
            let listed = await fixture.tasks.jobs.refreshed(known, note)
            #expect(listed.map(\.number) == [job.number])
            #expect(listed[0].tasks.map(\.state) == [.succeed, .processing])
        }
    }

    // MARK: Crashes

    /// Leaves a job as a crash would after `step`, starts again, and runs `check`.
    private func afterCrash(
        _ kling: ScriptedKling, _ step: @Sendable (any TaskStore, [TaskID]) async throws -> Void,
        _ check: @escaping @Sendable (JobFixture, Int64) async throws -> Void
    ) async throws {
        var options = JobFixture.Options()
        let folder = try TemporaryFolder()
        options.folder = folder
        let store = try SQLiteTaskStore.open(path: folder.path("gateway.db"))
        let now = WallClock.milliseconds
        var ids = TaskIDGenerator()
        let tasks = (0..<3).map { index in
            NewTask(
                id: ids.next(at: now), tenant: "shop", assignment: index == 0 ? Assignment(account: "main") : nil,
                model: "kolors-virtual-try-on-v1", createdAt: now)
        }
        let key = IdempotencyKey(key: "try-1", fingerprint: [1])
        let job = try await store.jobs.begin(
            tasks, job: NewJob(tenant: "shop", shape: "useapi", idempotency: key, createdAt: now))
        try await step(store, tasks.map(\.id))
        await store.close()
        try await JobFixture.run(kling, options) { try await check($0, job.number) }
    }

    @Test func `after a crash following the first acceptance, unsent tasks have failed`() async throws {
        try await afterCrash(ScriptedKling()) { store, ids in
            let acceptance = Acceptance(
                upstreamID: "kling-9", publicID: "kling-9", state: .submitted, statusWord: "submitted",
                answer: Array("{}".utf8), at: WallClock.milliseconds)
            _ = try await store.accept(ids[0], acceptance) { _ in StoredAnswer(status: 200, body: []) }
        } _: { fixture, number in
            let job = try await fixture.job(number) { $0.tasks[2].state != .intent }
            #expect(job.tasks.map(\.state) == [.submitted, .failed, .failed])
            #expect(job.tasks[1].statusWord == "not sent; nothing was charged" && job.tasks[1].publicID != nil)
            #expect(fixture.kling.creates == 0)
            // Its client was never answered: a client that repeats the request gets this job.
            let known = try #require(try await fixture.store.idempotency(tenant: "shop", key: "try-1"))
            #expect(try await fixture.tasks.jobs.unanswered(known)?.number == number)
        }
    }

    @Test func `after a crash before the first answer, the job is found at Kling`() async throws {
        let kling = ScriptedKling()
        try await afterCrash(kling) { _, ids in
            kling.set(ids[0].description, "processing")
        } _: { fixture, number in
            let job = try await fixture.job(number) { $0.isKnown }
            #expect(job.tasks[0].state == .processing)
            #expect(job.tasks[1...].allSatisfy { $0.state.isFinal })
            #expect(fixture.kling.creates == 0)
        }
    }

    // MARK: Callbacks and keys

    @Test func `a job's callbacks report its states in order`() async throws {
        let kling = ScriptedKling()
        kling.hold(from: 2)
        try await JobFixture.run(kling) { fixture in
            let url = try HTTPURL("https://client.example/jobs")
            let made = try await fixture.create(fixture.job(2) { ($0.callbackURL, $0.callbackRef) = (url, "ref-1") })
            #expect(made.callbackURL == url.text && made.tasks.allSatisfy { $0.callbackURL == nil })
            kling.release()
            let job = try await fixture.job(made.number) { $0.tasks.allSatisfy { $0.upstreamID != nil } }
            try await fixture.hear("processing", of: job.tasks[1])
            try await fixture.hear("succeed", of: job.tasks[0])
            try await fixture.hear("failed", of: job.tasks[1])
            #expect(
                try await fixture.deliveries() == [
                    "ref-1:submitted,intent", "ref-1:submitted,submitted", "ref-1:submitted,processing",
                    "ref-1:succeed,processing", "ref-1:succeed,failed",
                ])
            let last = try #require(try await fixture.store.outbox.deliveries(DeliveryFilter(), limit: 1).first)
            #expect(last.isLast && last.url == url.text && last.task == job.tasks[0].id)
        }
    }

    @Test func `callbacks start once the request has been answered, with the job's states in order`()
        async throws
    {
        var options = JobFixture.Options()
        let receivers = Receivers()
        options.receivers = receivers
        try await JobFixture.run(ScriptedKling(), options) { fixture in
            let url = try HTTPURL("https://client.example/jobs")
            let note = ExchangeNote(requestID: "r")
            let request = fixture.job(1) { ($0.callbackURL, $0.callbackRef) = (url, "ref-1") }
            let job = try await fixture.tasks.jobs.create(
                request, for: JobFixture.principal(), note)
            try await fixture.hear("succeed", of: job.tasks[0])
            #expect(try await fixture.deliveries() == ["ref-1:submitted", "ref-1:succeed"])
            // A later job whose request was answered overtakes it.
            _ = try await fixture.create(fixture.job(1) { ($0.callbackURL, $0.callbackRef) = (url, "ref-2") })
            // The first attempt fails, and the next state supersedes it.
            for (state, status) in [("ref-2:submitted", 200), ("ref-1:submitted", 500), ("ref-1:succeed", 200)] {
                if state == "ref-1:submitted" { note.end() }
                let call = await receivers.calls.next()
                #expect(String(decoding: call.message.body, as: UTF8.self) == state)
                call.answer(status)
            }
            let refused = try HTTPURL("http://127.0.0.1/jobs")
            #expect(await fixture.refusal(fixture.job(1) { $0.callbackURL = refused })?.cause == .badParameter)
        }
    }

    @Test func `a request's own callback_url gets the deliveries of each task`() async throws {
        var options = JobFixture.Options()
        options.json = #"{"callback_url":"https://client.example/each","# + options.json.dropFirst()
        try await JobFixture.run(ScriptedKling(), options) { fixture in
            let job = try await makeSentJob(fixture, fixture.job(2))
            #expect(job.callbackURL == nil)
            let deliveries = try await fixture.store.outbox.deliveries(DeliveryFilter(), limit: 9)
            #expect(Set(deliveries.map(\.task)) == Set(job.tasks.map(\.id)))
        }
    }

    @Test func `an idempotency key finds the job until the answer is recorded, then the answer`() async throws {
        try await JobFixture.run { fixture in
            let note = ExchangeNote(requestID: "r")
            let key = IdempotencyKey(key: "try-1", fingerprint: [1])
            let job = try await fixture.tasks.jobs.create(
                fixture.job(1) { $0.idempotency = key }, for: JobFixture.principal(), note)
            var known = try #require(try await fixture.store.idempotency(tenant: "shop", key: "try-1"))
            #expect(try await fixture.tasks.jobs.unanswered(known) == nil)
            note.end()
            #expect(try await fixture.tasks.jobs.unanswered(known)?.number == job.number)
            await fixture.tasks.jobs.recordAnswer(StoredAnswer(status: 200, body: [5]), to: job)
            known = try #require(try await fixture.store.idempotency(tenant: "shop", key: "try-1"))
            #expect(known.answer == StoredAnswer(status: 200, body: [5]))
            #expect(try await fixture.tasks.jobs.unanswered(known) == nil)
            let again = await fixture.refusal(fixture.job(1) { $0.idempotency = key })
            #expect(again?.cause == .idempotencyOpen)
        }
    }
}
