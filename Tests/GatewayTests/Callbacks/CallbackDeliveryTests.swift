import Base
import KlingAPI
import TaskStore
import TestKit
import Testing

@testable import Gateway

@Suite(.onEventLoop, .timeLimit(.minutes(5))) struct CallbackDeliveryTests {
    private let tasks = taskIDs(4)

    @Test func `a retry has the same id and is signed with a new timestamp`() async throws {
        try await DeliveryFixture.run { fixture in
            fixture.add("msg_a", task: tasks[0])
            fixture.delivery.kick()
            let first = await fixture.receivers.calls.next()
            #expect(first.id == "msg_a")
            #expect(first.message.url == "https://shop.example/kling")
            #expect(first.header("Content-Type") == "application/json")
            #expect(first.header("User-Agent") == "test/1")
            #expect(first.message.timeout == .seconds(15))
            #expect(isSigned(first, by: Secrets.old))
            first.answer(500)
            let failed = await fixture.outbox.settled.next()
            #expect(failed.attempt.status == 500)
            #expect(failed.outcome == .retry(at: fixture.now + 5000))
            fixture.pass(.seconds(5))
            let second = await fixture.receivers.calls.next()
            #expect(second.id == "msg_a")
            #expect(second.header("webhook-timestamp") == String(fixture.now / 1000))
            #expect(second.header("webhook-timestamp") != first.header("webhook-timestamp"))
            #expect(isSigned(second, by: Secrets.old))
            second.answer(204)
            #expect(await fixture.outbox.settled.next().outcome == .delivered)
            #expect(fixture.delivery.figures.delivered == 1)
            #expect(fixture.delivery.figures.retried == 1)
        }
    }

    @Test func `a task's states are delivered in order, and a failed one is superseded`() async throws {
        try await DeliveryFixture.run { fixture in
            for id in ["msg_1", "msg_2", "msg_3"] { fixture.add(id, task: tasks[0]) }
            fixture.delivery.kick()
            let first = await fixture.receivers.calls.next()
            #expect(first.id == "msg_1")
            first.answer()
            let second = await fixture.receivers.calls.next()
            #expect(second.id == "msg_2")
            #expect(fixture.receivers.calls.count == 0)
            second.end(.failure(CallbackFailure("timeout")))
            let third = await fixture.receivers.calls.next()
            #expect(third.id == "msg_3")
            #expect(fixture.outbox.row("msg_2")?.state == .superseded)
            third.answer()
            _ = await fixture.outbox.settled.next()
        }
    }

    @Test func `a slow receiver gets ten attempts at once and does not delay other receivers`() async throws {
        try await DeliveryFixture.run { fixture in
            for (index, task) in taskIDs(1000).enumerated() {
                fixture.add("msg_slow\(index)", task: task, tenant: "slow", url: "https://10.9.8.7/kling")
            }
            fixture.add("msg_quick", task: tasks[0])
            fixture.delivery.kick()
            var slow: [Receivers.Call] = []
            while true {
                let call = await fixture.receivers.calls.next()
                if call.id == "msg_quick" { break }
                slow.append(call)
            }
            #expect(slow.count <= 10)
            while slow.count < 10 { slow.append(await fixture.receivers.calls.next()) }
            #expect(fixture.receivers.calls.count == 0)
            slow[0].answer()
            let next = await fixture.receivers.calls.next()
            #expect(next.message.url == "https://10.9.8.7/kling")
        }
    }

    @Test func `a backlog drains with few reads of the outbox`() async throws {
        try await DeliveryFixture.run { fixture in
            let url = "https://192.0.2.1/kling"
            fixture.receivers.answers.withLock { $0[url] = 200 }
            for (index, task) in taskIDs(500).enumerated() { fixture.add("msg_\(index)", task: task, url: url) }
            fixture.delivery.kick()
            for _ in 0..<500 { _ = await fixture.outbox.settled.next() }
            #expect(fixture.outbox.state.withLock { $0.reads } < 200)
        }
    }

    @Test func `deliveries of a held task wait for its release, and others do not`() async throws {
        try await DeliveryFixture.run { fixture in
            fixture.delivery.hold(tasks[0])
            fixture.add("msg_held", task: tasks[0])
            fixture.add("msg_free", task: tasks[1])
            fixture.delivery.kick()
            let free = await fixture.receivers.calls.next()
            #expect(free.id == "msg_free")
            free.answer()
            _ = await fixture.outbox.settled.next()
            #expect(fixture.outbox.row("msg_held")?.attempts == 0)
            fixture.delivery.release(tasks[0])
            #expect(await fixture.receivers.calls.next().id == "msg_held")
        }
    }

    @Test func `a delivery that was in flight at a crash is resent when its lease expires, not before`() async throws {
        let outbox = Outbox()
        var lease: Int64 = 0
        try await DeliveryFixture.run(outbox: outbox) { fixture in
            fixture.add("msg_a", task: tasks[0])
            fixture.delivery.kick()
            _ = await fixture.receivers.calls.next()
            lease = try #require(outbox.row("msg_a")?.nextAttemptAt)
            #expect(lease == fixture.now + 60_000)
        }
        #expect(outbox.row("msg_a")?.state == .waiting)
        #expect(try await outbox.attempts(delivery: "msg_a").isEmpty)
        try await DeliveryFixture.run(outbox: outbox) { fixture in
            fixture.add("msg_b", task: tasks[1])
            fixture.delivery.kick()
            let other = await fixture.receivers.calls.next()
            #expect(other.id == "msg_b")
            other.answer()
            _ = await outbox.settled.next()
            fixture.pass(.milliseconds(lease - 1 - fixture.now))
            await fixture.idle()
            #expect(fixture.receivers.calls.count == 0)
            fixture.pass(.milliseconds(1))
            let again = await fixture.receivers.calls.next()
            #expect(again.id == "msg_a")
            again.answer()
            #expect(await outbox.settled.next().attempt.number == 2)
        }
    }

    @Test func `both secrets sign from the first moment of a rotation`() async throws {
        try await DeliveryFixture.run { fixture in
            fixture.add("msg_before", task: tasks[0])
            fixture.delivery.kick()
            let before = await fixture.receivers.calls.next()
            #expect(isSigned(before, by: Secrets.old))
            before.answer()
            fixture.secrets.current.withLock { $0 = [Secrets.new, Secrets.old] }
            fixture.add("msg_a", task: tasks[1])
            fixture.delivery.kick()
            let call = await fixture.receivers.calls.next()
            #expect(call.header("webhook-signature")?.split(separator: " ").count == 2)
            #expect(isSigned(call, by: Secrets.new))
            #expect(isSigned(call, by: Secrets.old))
        }
    }

    @Test func `the delivery loop wakes when the next delivery is due`() async throws {
        try await DeliveryFixture.run { fixture in
            fixture.outbox.add("msg_a", task: tasks[0], due: fixture.now + 20)
            await fixture.idle()
            #expect(fixture.receivers.calls.count == 0)
            // The clock doesn't move until the outbox has been read, so the loop must wake by itself.
            fixture.time.pass(.milliseconds(20))
            #expect(await fixture.receivers.calls.next().id == "msg_a")
        }
    }

    @Test(arguments: [-7_200_000, 7_200_000, -400 * 86_400_000, 400 * 86_400_000] as [Int64])
    func `a clock that jumps and returns neither delays a retry nor sends it early`(jump: Int64) async throws {
        try await DeliveryFixture.run { fixture in
            fixture.add("msg_a", task: tasks[0])
            fixture.delivery.kick()
            await fixture.receivers.calls.next().answer(500)
            _ = await fixture.outbox.settled.next()
            for step in [jump, 0] {
                fixture.time.wallOffset.store(step, ordering: .relaxed)
                fixture.pass(.seconds(2))
                await fixture.idle()
                #expect(fixture.receivers.calls.count == 0)
            }
            fixture.pass(.milliseconds(999))
            await fixture.idle()
            #expect(fixture.receivers.calls.count == 0)
            fixture.pass(.milliseconds(1))
            #expect(await fixture.receivers.calls.next().id == "msg_a")
        }
    }

    @Test func `a message is signed with the wall clock's time, not the believed time`() async throws {
        try await DeliveryFixture.run { fixture in
            fixture.time.wallOffset.store(-7_200_000, ordering: .relaxed)
            fixture.add("msg_a", task: tasks[0])
            fixture.delivery.kick()
            let call = await fixture.receivers.calls.next()
            #expect(call.header("webhook-timestamp") == String(fixture.time.wall / 1000))
        }
    }

    @Test(arguments: [false, true])
    func `a failing store is retried until it works`(isReadOnly: Bool) async throws {
        let outbox = Outbox()
        outbox.state.withLock { ($0.isBroken, $0.isReadOnly) = (!isReadOnly, isReadOnly) }
        try await DeliveryFixture.run(
            outbox: outbox,
            {
                $0.poll = .milliseconds(2); $0.longestBackOff = .milliseconds(20)
            }
        ) { fixture in
            fixture.add("msg_a", task: tasks[0])
            fixture.delivery.kick()
            try await outbox.refuses(3, fixture.loop)
            #expect(fixture.receivers.calls.count == 0)
            outbox.state.withLock { ($0.isBroken, $0.isReadOnly) = (false, false) }
            let call = await fixture.receivers.calls.next()
            outbox.state.withLock { $0.isReadOnly = true }
            call.answer()
            try await outbox.refuses(1, fixture.loop)
            outbox.state.withLock { $0.isReadOnly = false }
            #expect(await outbox.settled.next().outcome == .delivered)
        }
    }

    @Test func `a delivery without a webhook secret is retried`() async throws {
        try await DeliveryFixture.run { fixture in
            fixture.secrets.current.withLock { $0 = [] }
            fixture.add("msg_a", task: tasks[0])
            fixture.delivery.kick()
            let failed = await fixture.outbox.settled.next()
            #expect(failed.attempt.failure?.contains("secret") == true)
            #expect(failed.outcome == .retry(at: fixture.now + 5000))
        }
    }

    @Test func `stopping waits for attempts in flight and starts no new ones`() async throws {
        try await DeliveryFixture.run { fixture in
            fixture.add("msg_a", task: tasks[0])
            fixture.delivery.kick()
            let call = await fixture.receivers.calls.next()
            let hasStopped = Lock(false)
            let stop = fixture.loop.spawn {
                await fixture.delivery.stop(grace: .seconds(600))
                hasStopped.withLock { $0 = true }
            }
            fixture.add("msg_b", task: tasks[1])
            for _ in 0..<4 {
                fixture.delivery.kick()
                await fixture.loop.spawn {}.value
            }
            #expect(hasStopped.withLock { $0 } == false)
            call.answer()
            await stop.value
            #expect(fixture.outbox.row("msg_a")?.state == .delivered)
            #expect(fixture.outbox.row("msg_b")?.attempts == 0)
        }
    }

    @Test func `attempts that outlast the grace of a stop are cancelled and keep their lease`() async throws {
        try await DeliveryFixture.run { fixture in
            fixture.add("msg_a", task: tasks[0])
            fixture.delivery.kick()
            _ = await fixture.receivers.calls.next()
            await fixture.delivery.stop(grace: .milliseconds(1))
            let row = try #require(fixture.outbox.row("msg_a"))
            #expect(row.state == .waiting && row.nextAttemptAt == fixture.now + 60_000)
            #expect(fixture.outbox.settled.count == 0 && fixture.receivers.open.withLock { $0.isEmpty })
        }
    }

    private func isSigned(_ call: Receivers.Call, by secret: Secret) -> Bool {
        let time = call.header("webhook-timestamp") ?? ""
        return WebhookSignature(secret)?.verify(
            id: call.id, timestamp: time, body: call.message.body, header: call.header("webhook-signature") ?? "",
            now: Int(time) ?? 0) == true
    }
}
