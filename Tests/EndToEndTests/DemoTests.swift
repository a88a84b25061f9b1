import Foundation
import TestKit
import Testing

/// The demo, which is what a new user runs first.
@Suite(.aFewAtATime) struct DemoTests {
    @Test func `the demo runs a try-on with a client of either API and exits`() async throws {
        let folder = try TemporaryFolder()
        // The demo runs curl with Foundation's Process, which leaks a weak reference: a leak checker would fail it.
        let demo = try Program.gateway(
            ["demo", "--once", "--directory", folder.path("demo")], environment: ["ASAN_OPTIONS": "detect_leaks=0"])
        let outcome = try await demo.end(within: 120)
        #expect(outcome.status == 0, "\(outcome.output)\n\(outcome.errors)")
        #expect(outcome.output.contains(#""task_status":"succeed""#), "\(outcome.output)")
        #expect(outcome.output.contains(#""status":"succeed""#) && outcome.output.contains("/solutions?task_ids="))
        let picture = try Data(contentsOf: URL(filePath: folder.path("demo/result.png")))
        #expect(picture.starts(with: [0x89, 0x50, 0x4E, 0x47]))
    }
}
