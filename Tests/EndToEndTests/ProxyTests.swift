import Foundation
import TestKit
import Testing

/// The gateway behind real proxies. `make proxies` tries all ten, with longer checks.
@Suite(.aFewAtATime, .needsNoStore) struct ProxyTests {
    private static func isInstalled(_ name: String) -> Bool {
        let places = ["/usr/sbin", "/usr/local/sbin", RealClient.root.appending(path: ".venv-proxies/bin").path]
        return RealClient.isInstalled(name)
            || places.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(name)") }
    }

    @Test(arguments: ["nginx", "haproxy", "caddy"])
    func `a proxy with its example's configuration does what the guide says`(name: String) async throws {
        guard RealClient.isInstalled("python3") else { try Test.cancel("there is no python3 on the PATH") }
        guard Self.isInstalled(name) else { try Test.cancel("\(name) is not installed: `make deps` installs it") }
        let script = RealClient.root.appending(path: "Tests/Proxies/proxies.py").path
        let gateway = Program.products.appending(path: "kling-gateway").path
        let arguments = [script, "--quick", "--only", name, "--binary", gateway]
        let outcome = try await Program("python3", arguments).end(within: 200)
        #expect(outcome.status == 0, "\(outcome.output)\n\(outcome.errors)")
    }
}
