import Foundation
import TestKit
import Testing

/// The demo, which new users run first.
@Suite(.aFewAtATime) struct DemoTests {
    /// A PATH without curl.
    private static let environment = ["PATH": "/nowhere"]

    @Test func `the demo runs a try-on with a client of either API and exits, without curl`() async throws {
        let folder = try TemporaryFolder()
        let demo = try Program.gateway(
            ["demo", "--listen", "127.0.0.1:18471", "--once", "--folder", folder.path("demo")],
            environment: Self.environment)
        let outcome = try await demo.end(within: 120)
        #expect(outcome.status == 0, "\(outcome.output)\n\(outcome.errors)")
        #expect(outcome.output.contains(#""task_status":"succeed""#), "\(outcome.output)")
        #expect(outcome.output.contains(#""status":"succeed""#) && outcome.output.contains("/solutions?task_ids="))
        #expect(outcome.output.contains("The picture is at \(folder.path("demo/result.png"))"))
        #expect(!outcome.output.contains("your turn"), "with --once, no gateway is left to try")
        let picture = try Data(contentsOf: URL(filePath: folder.path("demo/result.png")))
        #expect(picture.starts(with: [0x89, 0x50, 0x4E, 0x47]))
    }

    @Test func `the demo's lines come through a pipe at once, up to the commands to try next`() async throws {
        let folder = try TemporaryFolder()
        let demo = try Program.gateway(
            ["demo", "--listen", "127.0.0.1:18472", "--directory", folder.path("demo")], environment: Self.environment)
        // It runs until a signal: a buffered line would not arrive.
        _ = try await demo.outputLine { $0.contains("your turn") ? true : nil }
        _ = try await demo.outputLine { $0.contains("Ctrl-C ends the demo") ? true : nil }
        demo.signal(SIGTERM)
        #expect(try await demo.end().status == 0)
    }

    @Test func `a demo whose port is in use uses another one, with the same folder`() async throws {
        let folder = try TemporaryFolder()
        let port = try freePort()
        let server = try Program("python3", ["-m", "http.server", "\(port)", "--bind", "127.0.0.1"])
        try await eventually("the port is in use") { (try? RawClient(port: port)) != nil }
        let outcome = try await Program.gateway(
            ["demo", "--listen", "127.0.0.1:\(port)", "--once", "--folder", folder.path("demo")],
            environment: Self.environment
        ).end(within: 120)
        server.signal(SIGKILL)
        #expect(outcome.status == 0, "\(outcome.output)\n\(outcome.errors)")
        #expect(outcome.output.contains("127.0.0.1:\(port) is in use; the demo uses another port"))
        #expect(outcome.output.contains("The picture is at"))
    }

    @Test(.enabled(if: StoreReadinessTests.canMount, "this system does not let every user mount a disk"))
    func `the demo needs nothing that can be written to but its folder`() async throws {
        let folder = try TemporaryFolder()
        let script = #"mount -t tmpfs tmpfs "$0" && mount -o remount,ro,bind / && ! touch /tmp/x 2>&- && exec "$@""#
        let outcome = try await Program.gateway(
            ["demo", "--listen", "127.0.0.1:18473", "--once"],
            launcher: ["unshare", "-rm", "sh", "-c", script, folder.path("")],
            environment: ["TMPDIR": folder.path("")]
        ).end(within: 120)
        #expect(outcome.status == 0, "\(outcome.output)\n\(outcome.errors)")
        #expect(outcome.output.contains("The picture is at \(folder.path(""))"), "\(outcome.output)")
    }

    @Test(arguments: ["127.0.0.1:99999", "127.0.0.1:0", "127.0.0.1", "8080", "nonsense:"])
    func `the error for an invalid address of the demo names it`(_ address: String) async throws {
        let outcome = try await Program.gateway(
            ["demo", "--once", "--listen", address], environment: Self.environment
        ).end()
        #expect(outcome.status == 64 && outcome.errors.contains("--listen is \(address)"), "\(outcome.errors)")
    }

    @Test func `a demo that cannot write to its folder says what to do`() async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("", to: "file")
        for (arguments, environment) in [
            (["--folder", file + "/demo"], Self.environment), ([], ["TMPDIR": file + "/demo"]),
        ] {
            let outcome = try await Program.gateway(["demo", "--once"] + arguments, environment: environment).end()
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("error: the demo cannot write to \(file)"), "\(outcome.errors)")
            #expect(outcome.errors.contains("--folder") && outcome.errors.contains("TMPDIR"))
        }
    }
}
