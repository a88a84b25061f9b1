import Base
import TaskStore
import TestKit
import Testing

@testable import Gateway

/// The deletion of old records, and the clock that decides their age.
@Suite(.onEventLoop, .timeLimit(.minutes(5))) struct RetentionTests {
    private static let day: Int64 = 86_400_000

    /// Runs `body` with a task that ended just now and whose create had an `Idempotency-Key`.
    private func run(
        _ body: @escaping @Sendable (JobFixture, TestClock, _ isThere: () async throws -> [Bool]) async throws -> Void
    ) async throws {
        let time = TestClock()
        var options = JobFixture.Options()
        options.clock = time.guarded
        try await JobFixture.run(ScriptedKling(), options) { fixture in
            var request = fixture.job(1)
            request.idempotency = IdempotencyKey(key: "try-1", fingerprint: [1])
            let task = try await fixture.create(request).tasks[0]
            try await fixture.hear("succeed", of: task)
            try await body(fixture, time) {
                let key = try await fixture.store.idempotency(tenant: "shop", key: "try-1")
                return [try await fixture.store.task(task.id) != nil, key != nil]
            }
        }
    }

    private func upkeep(_ fixture: JobFixture) -> Maintenance {
        Maintenance(tasks: fixture.tasks, retention: Retention(), assets: nil)
    }

    private func expect(
        _ isThere: () async throws -> [Bool], _ expected: [Bool], _ location: SourceLocation = #_sourceLocation
    ) async throws {
        let found = try await isThere()
        #expect(found == expected, sourceLocation: location)
    }

    @Test(arguments: [401 * day, 2 * day, -2 * day, -401 * day])
    func `a clock jump deletes nothing, nor does the jump back`(jump: Int64) async throws {
        try await run { fixture, time, isThere in
            for step in [jump, 0, jump] {
                time.wallOffset.store(step, ordering: .relaxed)
                await upkeep(fixture).prune()
                try await expect(isThere, [true, true])
                time.pass(.seconds(7 * 3600))
                await upkeep(fixture).prune()
                try await expect(isThere, [true, true])
            }
        }
    }

    @Test func `records are deleted when their retention ends`() async throws {
        try await run { fixture, time, isThere in
            for (days, expected) in [
                (1, [true, true]), (1, [true, false]), (397, [true, false]), (2, [false, false]),
            ] {
                time.pass(.milliseconds(Int64(days) * Self.day - 1))
                await upkeep(fixture).prune()
                try await expect(isThere, expected)
            }
        }
    }

    @Test func `old records are deleted within 18 days of a long downtime`() async throws {
        try await run { fixture, time, isThere in
            await upkeep(fixture).saveClock()
            // The machine was off: the wall clock has moved on, and the monotonic clock has not.
            time.wallOffset.store(401 * Self.day, ordering: .relaxed)
            try await fixture.tasks.clock.resume(from: fixture.store)
            await upkeep(fixture).prune()
            try await expect(isThere, [true, true])
            for _ in 0..<(24 * 18) {
                time.pass(.seconds(3600))
                await upkeep(fixture).saveClock()
            }
            await upkeep(fixture).prune()
            try await expect(isThere, [false, false])
        }
    }

    @Test func `a start resumes from the saved time, or from the newest task's`() async throws {
        try await run { fixture, time, _ in
            let start = time.wall
            time.wallOffset.store(30 * Self.day, ordering: .relaxed)
            // A store of an earlier version has no saved time.
            let first = time.guarded
            #expect(first.believed == start + 30 * Self.day)
            try await first.resume(from: fixture.store)
            #expect(first.believed == start && first.now == start + 30 * Self.day)
            try await fixture.store.clock.keep(start + 5_000_000)
            let second = time.guarded
            try await second.resume(from: fixture.store)
            #expect(second.believed == start + 5_000_000)
            time.wallOffset.store(-30 * Self.day, ordering: .relaxed)
            #expect(second.now == start + 5_000_000 && second.wall == start - 30 * Self.day)
        }
    }
}
