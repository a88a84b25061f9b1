import Foundation
import TestKit
import Testing

/// Clients that may resend a create when its connection breaks before an answer, because their HTTP stack does so or
/// because they were told to try three times. Each makes one create.
enum ResendingClient: String, CaseIterable, Sendable {
    case curl, php, java, go, wget, wget2, openai, loop

    private var script: String {
        switch self {
        case .curl: "curl.sh"
        case .php: "client.php"
        case .java: "Client.java"
        case .go: "client.go"
        case .wget, .wget2: "wget.sh"
        case .openai: "openai_sdk.py"
        case .loop: "loop.py"
        }
    }

    private var command: [String] {
        switch self {
        case .curl, .wget, .wget2: ["bash"]
        case .php: ["php"]
        case .java: ["java", "-XX:TieredStopAtLevel=1"]
        case .go: ["go", "run"]
        case .openai: [RealClient.python]
        case .loop: ["python3"]
        }
    }

    /// Why it cannot be run on this machine; nil if it can.
    var missing: String? {
        switch self {
        case .openai: RealClient.hasPython ? nil : "there is no .venv with the clients: `make deps` says why"
        case .curl, .wget, .wget2: RealClient.isInstalled(rawValue) ? nil : "there is no \(rawValue) on the PATH"
        default: RealClient.isInstalled(command[0]) ? nil : "there is no \(command[0]) on the PATH"
        }
    }

    /// Whether it certainly resends the create.
    var mustResend: Bool { [.wget, .wget2, .openai, .loop].contains(self) }

    /// The path of its create.
    var path: String { self == .openai ? EditForm.path : Fixture.path }

    /// Starts it.
    /// - Parameter port: the gateway's port on this machine.
    func start(port: UInt16) throws -> Program {
        let environment = [
            "GATEWAY": "http://127.0.0.1:\(port)", "KEY": GatewayProcess.key, "CREATE": path, "BODY": Fixture.body(),
            "TOOL": rawValue, "HOME": ProcessInfo.processInfo.environment["HOME"] ?? "/tmp", "GO111MODULE": "off",
            "NO_PROXY": "127.0.0.1",
        ]
        let file = RealClient.folder.appending(path: "Resending/\(script)").path(percentEncoded: false)
        return try Program(command[0], Array(command.dropFirst()) + [file], environment: environment)
    }

    /// The id of the task in its answer; nil if it got no answer.
    func answeredTask(_ program: Program) async throws -> String? {
        let output = try await program.end(within: 120).output
        let json = (try? JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any]) ?? [:]
        return (json["data"] as? [String: Any])?["task_id"] as? String ?? json["task_id"] as? String
    }
}
