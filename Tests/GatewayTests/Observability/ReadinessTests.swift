import TestKit
import Testing

@testable import Gateway

struct ReadinessTests {
    private struct Broken: Error {}

    /// Describes actions in a form that can be compared.
    private func words(_ actions: [ReadinessRounds<Int>.Action]) -> [String] {
        actions.map { action in
            switch action {
            case .run(let check): "run \(check)"
            case .armTimer(let round): "timer \(round)"
            case .answer(let waiters, let outcomes): "answer \(waiters) \(outcomes.map(\.rawValue))"
            case .changed(let check, let outcome, _): "changed \(check) \(outcome.rawValue)"
            }
        }
    }

    @Test func `probes that arrive during a round share it`() {
        var rounds = ReadinessRounds<Int>(checks: 2)
        #expect(words(rounds.join(1)) == ["timer 0", "run 0", "run 1"])
        #expect(words(rounds.join(2)) == [])
        #expect(words(rounds.finished(1, nil)) == [])
        #expect(words(rounds.finished(0, nil)) == [#"answer [1, 2] ["ok", "ok"]"#])
        #expect(words(rounds.expired(round: 0)) == [])
        #expect(words(rounds.join(3)) == ["timer 1", "run 0", "run 1"])
    }

    @Test func `a check that hangs is timed out and not started again`() {
        var rounds = ReadinessRounds<Int>(checks: 2)
        _ = rounds.join(1)
        _ = rounds.finished(0, nil)
        #expect(words(rounds.expired(round: 0)) == ["changed 1 timed_out", #"answer [1] ["ok", "timed_out"]"#])
        #expect(words(rounds.join(2)) == ["timer 1", "run 0"])
        _ = rounds.finished(0, nil)
        #expect(words(rounds.finished(1, nil)) == ["changed 1 ok", #"answer [2] ["ok", "ok"]"#])
    }

    @Test func `a failure is reported when it begins and when it ends`() {
        var rounds = ReadinessRounds<Int>(checks: 1)
        _ = rounds.join(1)
        #expect(words(rounds.finished(0, Broken())) == ["changed 0 failed", #"answer [1] ["failed"]"#])
        _ = rounds.join(2)
        #expect(words(rounds.finished(0, Broken())) == [#"answer [2] ["failed"]"#])
        _ = rounds.join(3)
        #expect(words(rounds.finished(0, nil)) == ["changed 0 ok", #"answer [3] ["ok"]"#])
    }

    @Test(.onEventLoop) func `a report names each check`() async throws {
        let readiness = Readiness([HealthCheck(name: "store") {}, HealthCheck(name: "keys") { throw Broken() }])
        let report = await readiness.report()
        #expect(report.outcomes.map(\.name) == ["store", "keys"])
        #expect(report.outcomes.map(\.outcome) == [.ok, .failed])
        #expect(!report.isReady)
        #expect(await Readiness([]).report().isReady)
    }
}
