import Base
import Foundation
import TestKit
import Testing

/// The built gateway on a machine whose wall clock jumps.
@Suite(.aFewAtATime) struct ClockTests {
    private static let hour: Int64 = 3_600_000
    private static let years = 401 * 24 * hour
    private static let settings = "callbacks: { allow: [127.0.0.0/8] }\nquery: { freshness: 50ms }\n"

    /// The time in the gateway's `Date` field, in seconds since 1970.
    private func date(_ rig: Rig) async throws -> TimeInterval {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "GMT")
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        let text = try #require(try await rig.gateway.ask("GET", "/v1/nothing")["Date"])
        return try #require(formatter.date(from: text)).timeIntervalSince1970
    }

    /// Sends creates with `Idempotency-Key`s, and returns the ids of their tasks.
    private func create(_ rig: Rig, _ count: Int) async throws -> [String] {
        var ids: [String] = []
        for number in 0..<count {
            ids.append(try await rig.create(headers: ["Idempotency-Key: try-\(number)"]).createdTask())
        }
        return ids
    }

    @Test(arguments: [years, -years, 25 * hour])
    func `a wrong clock at startup loses no task and no Idempotency-Key`(error: Int64) async throws {
        guard let clock = try await ClockShim.ofGateway() else { return }
        try await Rig.run(settings: Self.settings, clock: clock) { rig in
            let ids = try await create(rig, 3)
            for id in ids { try await eventually("it ends") { try await rig.status(id) == "succeed" } }
            try await rig.stop()
            for shift in [error, 0] {
                // First the gateway starts with the wrong clock, then the clock is corrected while it runs.
                try clock.set(milliseconds: shift)
                if shift != 0 { try await rig.start() }
                #expect(abs(try await date(rig) - Double(WallClock.milliseconds + shift) / 1000) < 60)
                #expect(try await create(rig, 3) == ids)
                for id in ids { #expect(try await rig.status(id) == "succeed") }
            }
            try await rig.kill()
            try await rig.start()
            #expect(try await create(rig, 3) == ids)
            #expect(rig.creates() == 3)
        }
    }

    @Test(arguments: [years, -years, 25 * hour])
    func `a clock jump that outlasts a restart pays for nothing twice`(
        error: Int64
    ) async throws {
        guard let clock = try await ClockShim.ofGateway() else { return }
        try await Rig.run(settings: Self.settings, clock: clock) { rig in
            var ids = try await create(rig, 2)
            try clock.set(milliseconds: error)
            ids += [try await rig.create(headers: ["Idempotency-Key: try-2"]).createdTask()]
            try await rig.kill()
            try await rig.start()
            #expect(try await create(rig, 3) == ids)
            try clock.set(milliseconds: 0)
            #expect(try await create(rig, 3) == ids)
            try await rig.kill()
            try await rig.start()
            #expect(try await create(rig, 3) == ids)
            #expect(try await rig.listed().count == 3 && rig.creates() == 3)
        }
    }

    /// When the clock is corrected.
    enum Correction: CaseIterable, Sendable { case whileItRuns, betweenTwoStarts }

    @Test(arguments: Correction.allCases, [2 * hour, -2 * hour, years])
    func `a waiting callback keeps its schedule when the clock jumps`(
        correction: Correction, error: Int64
    ) async throws {
        guard let clock = try await ClockShim.ofGateway() else { return }
        // The clock is either wrong from the first start, or it jumps and is corrected while the gateway is down.
        if correction == .whileItRuns { try clock.set(milliseconds: error) }
        try await CallbackLog.run { log, url in
            // Kling's clock jumps as well, which must not end any task.
            let duration = 2 * Self.years
            try await Rig.run(settings: Self.settings, duration: Int(duration)...Int(duration), clock: clock) { rig in
                _ = try await rig.createdTask(#""callback_url":"\#(url)first""#)
                try await eventually("callbacks come") { log.statuses("/first") == ["submitted"] }
                try clock.set(milliseconds: error)
                log.refuse("submitted", times: 1)
                _ = try await rig.createdTask(#""callback_url":"\#(url)second""#)
                try await eventually("the first attempt fails") { log.received("/second").count == 1 }
                let start = ContinuousClock.now
                if correction == .betweenTwoStarts { try await rig.kill() }
                try clock.set(milliseconds: 0)
                if correction == .betweenTwoStarts { try await rig.start() }
                try await eventually("the second comes") { log.statuses("/second") == ["submitted"] }
                // The retry comes after 5 s ± 20%, plus the time of a start, long before the 30 s of the third attempt.
                #expect(ContinuousClock.now - start < .seconds(20))
                #expect(log.received("/second").count == 2)
            }
        }
    }
}
