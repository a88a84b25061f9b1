import EventLoop
import TestKit
import Testing

/// The main promise: nothing that is paid for is lost, paid for twice or left waiting, whenever the gateway dies and
/// whatever Kling does.
@Suite(.serialized)
struct TortureTests {
    @Test func `nothing is lost, paid twice or left waiting across kills and faults`() async throws {
        let options = try TortureOptions()
        print(
            "torture: \(options.kills) kills, \(min(options.kills, options.powerCuts)) of them power cuts, "
                + "\(options.creates) creates, seed \(options.seed)")
        let report = try await Self.run(options)
        print("torture, seed \(options.seed):\n\(report.table)\nreplay: \(report.replay)")
        for finding in report.findings { Issue.record("\(finding)\nreplay: \(report.replay)") }
    }

    /// The judge can see what a power cut costs: here the gateway's syncs do nothing.
    @Test func `power cuts lose paid tasks if nothing is synced`() async throws {
        var options = try TortureOptions([
            "TORTURE_KILLS": "2", "TORTURE_CUTS": "2", "TORTURE_CREATES": "24", "TORTURE_SETTLING": "1",
        ])
        options.ignoresSyncs = true
        let report = try await Self.run(options)
        // A machine without a C compiler has no power cuts.
        guard report.options.powerCuts > 0 else { return }
        let found = Set(report.violations.map(\.kind))
        #expect(found.isSuperset(of: [.lost, .forgotten]), "\(report.replay)")
    }

    private static func run(_ options: TortureOptions) async throws -> Report {
        let loop = try EventLoop(name: "torture")
        defer { loop.stop() }
        return try await withTaskExecutorPreference(loop) { try await TortureRun.run(options, on: loop) }
    }
}
