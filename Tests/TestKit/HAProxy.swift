import Foundation
import Testing

/// HAProxy in front of two gateways of this machine, with the configuration of Config/replicas.
public final class HAProxy: Sendable {
    /// Where a gateway serves its clients and its operators.
    public struct Backend: Sendable {
        public let port: UInt16
        public let adminPort: UInt16

        public init(port: UInt16, adminPort: UInt16) { (self.port, self.adminPort) = (port, adminPort) }
    }

    public let port: UInt16
    private let program: Program
    private let folder: TemporaryFolder

    /// Where HAProxy is. Cancels the test if it is not installed.
    public static func path() throws -> String {
        let places = ["/usr/sbin", "/usr/local/sbin", "/usr/bin"].map { "\($0)/haproxy" }
        if let path = places.first(where: FileManager.default.isExecutableFile) { return path }
        try Test.cancel("HAProxy is not installed: `make deps` installs it")
    }

    /// Starts it.
    /// - Parameter isWaiting: whether to wait until it has checked both gateways.
    public init(_ gateways: [Backend], isWaiting: Bool = true) async throws {
        port = try freePort()
        folder = try TemporaryFolder()
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Config/replicas/haproxy.cfg")
        var text = try String(contentsOf: file, encoding: .utf8)
        var replacements = [
            (" resolvers docker", ""), ("check port 9090", "check"), ("bind :8080", "bind 127.0.0.1:\(port)"),
            ("    option httpchk\n", "    option httpchk\n    option log-health-checks\n"),
        ]
        for (number, gateway) in gateways.enumerated() {
            let name = "gateway-\(number + 1)"
            replacements.append((" \(name):8080", " 127.0.0.1:\(gateway.port) port \(gateway.adminPort)"))
        }
        for (old, new) in replacements {
            guard text.contains(old) else { throw TestKitError("haproxy.cfg does not have \(old)") }
            text = text.replacingOccurrences(of: old, with: new)
        }
        program = try Program(try Self.path(), ["-db", "-f", try folder.write(text, to: "haproxy.cfg")])
        for number in gateways.indices where isWaiting {
            try await waitForLine("Health check for server writes/gateway-\(number + 1) succeeded")
        }
    }

    /// Waits until it has logged a line with such a text, such as `Server writes/gateway-1 is DOWN`.
    public func waitForLine(_ text: String) async throws {
        try await program.outputLine { $0.contains(text) ? () : nil }
    }

    /// Sends a request through it, on a connection of its own, with a bearer key.
    public func ask(_ method: String, _ path: String, body: String? = nil) async throws -> RawClient.Answer? {
        try await blocking { [port] in
            let client = try RawClient(port: port)
            var head = "\(method) \(path) HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n"
            head += "Authorization: Bearer \(GatewayProcess.key)\r\n"
            if let body { head += "Content-Length: \(body.utf8.count)\r\n" }
            try client.send(head + "\r\n" + (body ?? ""))
            return try client.readAnswer()
        }
    }

    deinit { program.signal(SIGKILL) }
}
