import Foundation
import TestKit
import Testing

/// Clients written by others, run by the scripts of Tests/Clients.
enum RealClient {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized
    static let folder = root.appending(path: "Tests/Clients")
    static let python = root.appending(path: ".venv/bin/python").path(percentEncoded: false)

    /// Whether the virtual environment has what the scripts now require.
    static var hasPython: Bool {
        let files = FileManager.default
        guard let wanted = files.contents(atPath: folder.appending(path: "requirements.txt").path) else { return false }
        return files.contents(atPath: root.appending(path: ".venv/installed.txt").path) == wanted
    }

    /// Whether Node is on the machine.
    static var hasNode: Bool { isInstalled("node") }

    /// Whether a program of that name is on the PATH.
    static func isInstalled(_ name: String) -> Bool {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
            FileManager.default.isExecutableFile(atPath: "\($0)/\(name)")
        }
    }

    /// Starts a script of Tests/Clients.
    static func start(_ script: String, _ environment: [String: String]) throws -> Program {
        try Program(python, [folder.appending(path: script).path], environment: environment)
    }

    /// Runs a script of Tests/Clients, which must succeed, and returns what it prints.
    @discardableResult
    static func run(_ script: String, _ environment: [String: String]) async throws -> String {
        try await output(of: start(script, environment), script)
    }

    /// Runs a published example with only `replacements` made in it, and returns what it prints.
    static func example(_ name: String, _ replacements: [String: String]) async throws -> String {
        var text = try String(contentsOf: folder.appending(path: "Examples/\(name)"), encoding: .utf8)
        for (old, new) in replacements {
            guard text.contains(old) else { throw TestKitError("\(name) does not have \(old)") }
            text = text.replacingOccurrences(of: old, with: new)
        }
        let copy = try TemporaryFolder()
        let path = try copy.write(text, to: name)
        let interpreter = name.hasSuffix(".py") ? python : name.hasSuffix(".mjs") ? "node" : "bash"
        return try await output(of: Program(interpreter, [path], environment: [:]), name)
    }

    /// Waits for a client, which must succeed, and returns what it prints.
    @discardableResult
    static func output(of program: Program, _ name: String) async throws -> String {
        let outcome = try await program.end(within: 540)
        guard outcome.status == 0 else {
            throw TestKitError("\(name) ended with \(outcome.status):\n\(outcome.output)\n\(outcome.errors)")
        }
        return outcome.output
    }
}

extension Trait where Self == ConditionTrait {
    /// For tests of clients from PyPI.
    static var needsPython: Self {
        .enabled(if: RealClient.hasPython, "there is no .venv with the clients: `make deps` says why")
    }

    /// For tests of clients in JavaScript.
    static var needsNode: Self { .enabled(if: RealClient.hasNode, "there is no node on the PATH") }
}

extension GatewayProcess {
    /// The URL at which clients find it.
    var url: String { "http://127.0.0.1:\(port)" }
}

/// A key of the store, as `keys create --json` prints it.
struct PrintedKey: Decodable {
    let tenant, id, key, accessKey, secretKey: String

    /// Issues a key with the gateway's command.
    static func made(_ rig: Rig, tenant: String = "shop") async throws -> PrintedKey {
        try read(try await rig.command("keys", "create", "--tenant", tenant, "--json"))
    }

    static func read(_ output: String) throws -> PrintedKey {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(PrintedKey.self, from: Data(output.utf8))
    }
}
