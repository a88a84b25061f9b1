import Foundation
import TestKit
import Testing

/// The files of Config/ with which operators deploy the gateway.
@Suite(.aFewAtATime, .needsNoStore) struct DeploymentFileTests {
    private static let folder = RealClient.root.appending(path: "Config")

    private static func path(_ name: String) -> String { folder.appending(path: name).path }

    /// Runs a program of the virtual environment, which must find nothing wrong.
    private static func check(_ program: String, _ arguments: String...) async throws {
        let path = RealClient.root.appending(path: ".venv/bin/\(program)").path
        _ = try await RealClient.output(of: Program(path, arguments), program)
    }

    @Test(.needsPython, arguments: ["compose.yaml", "replicas/compose.yaml"])
    func `a compose file follows the specification`(name: String) async throws {
        try await Self.check("check-jsonschema", "--builtin-schema", "vendor.compose-spec", Self.path(name))
    }

    @Test(.needsPython, arguments: ["1.27", "1.37"])
    func `the manifest is valid for Kubernetes`(version: String) async throws {
        let manifest = Self.path("replicas/kubernetes.yaml")
        try await Self.check("kubernetes-validate", "--strict", "--kubernetes-version", version, manifest)
    }

    @Test func `HAProxy accepts its configuration`() async throws {
        let outcome = try await Program(try HAProxy.path(), ["-c", "-f", Self.path("replicas/haproxy.cfg")]).end()
        #expect(outcome.status == 0, "\(outcome.errors)")
    }

    @Test(.needsPython) func `the files agree with each other, and the gateway accepts its configurations`()
        async throws
    {
        let folder = try TemporaryFolder()
        let script = RealClient.root.appending(path: "Tests/Deployment/check.py").path
        try await Self.check("python", script, folder.path(""))
        let environment = try await GatewayProcess.environment(kling: "https://kling.example", folder)
            .merging([
                "KLING_GATEWAY_STORE": "postgres://gateway@postgres/gateway?sslmode=disable",
                "KLING_GATEWAY_MASTER_KEY": String(repeating: "0123456789abcdef", count: 4),
                "KLING_GATEWAY_ADMIN_LISTEN": "",
            ]) { $1 }
        for name in ["compose.yaml", "kubernetes.yaml"] {
            let arguments = ["check-config", folder.path(name)]
            let outcome = try await Program.gateway(arguments, environment: environment).end()
            #expect(outcome.status == 0 && !outcome.errors.contains("warning"), "\(outcome.errors)")
        }
    }
}
