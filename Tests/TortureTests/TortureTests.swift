import EventLoop
import TestKit
import Testing

/// The main promise: nothing that is paid for is lost, paid for twice or left waiting, whenever the gateway dies and
/// whatever Kling does.
struct TortureTests {
    @Test func `nothing is lost, paid twice or left waiting across kills and faults`() async throws {
        let options = try TortureOptions()
        print("torture: \(options.kills) kills, \(options.creates) creates, seed \(options.seed)")
        let loop = try EventLoop(name: "torture")
        defer { loop.stop() }
        let report = try await withTaskExecutorPreference(loop) { try await TortureRun.run(options, on: loop) }
        print("torture, seed \(options.seed):\n\(report.table)\nreplay: \(report.replay)")
        for finding in report.findings { Issue.record("\(finding)\nreplay: \(report.replay)") }
    }
}
