import Foundation
import KlingSimulator
import TestKit
import Testing

/// The programs of Examples/, which users copy.
@Suite(.aFewAtATime) struct ExampleTests {
    /// The command that runs each example.
    static let programs = [
        ("try-on.sh", ["bash"]), ("try_on.py", ["python3"]), ("try-on.mjs", ["node"]), ("try-on.php", ["php"]),
        ("TryOn.java", ["java", "-XX:TieredStopAtLevel=1"]), ("try-on.go", ["go", "run"]),
    ]

    private func run(_ name: String, _ command: [String], on rig: Rig) async throws -> Program.Outcome {
        let environment = [
            "GATEWAY_URL": rig.gateway.url, "GATEWAY_KEY": GatewayProcess.key,
            "PERSON": "https://shop.example/p.png", "GARMENT": "https://shop.example/c.png",
            "HOME": ProcessInfo.processInfo.environment["HOME"] ?? "/tmp", "GO111MODULE": "off",
            "NO_PROXY": "127.0.0.1",
        ]
        let file = RealClient.root.appending(path: "Examples/\(name)").path(percentEncoded: false)
        return try await Program(command[0], command.dropFirst() + [file], environment: environment).end(within: 120)
    }

    @Test(arguments: programs)
    func `an example prints the picture's URL and makes one task`(name: String, command: [String]) async throws {
        guard RealClient.isInstalled(command[0]) else { try Test.cancel("there is no \(command[0]) on the PATH") }
        try await Rig.run { rig in
            let outcome = try await run(name, command, on: rig)
            #expect(outcome.status == 0, "\(outcome.output)\n\(outcome.errors)")
            #expect(outcome.output.hasPrefix("http") && rig.kling.tasks.count == 1, "\(outcome.output)")
        }
    }

    @Test(arguments: programs)
    func `an example prints why a task was not made`(name: String, command: [String]) async throws {
        guard RealClient.isInstalled(command[0]) else { try Test.cancel("there is no \(command[0]) on the PATH") }
        try await Rig.run { rig in
            try rig.fail("create:1301")
            let outcome = try await run(name, command, on: rig)
            #expect(outcome.status != 0 && rig.kling.tasks.isEmpty, "\(outcome.output)")
            #expect((outcome.output + outcome.errors).contains("content security policy"), "\(outcome.errors)")
        }
    }
}
