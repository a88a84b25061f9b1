import Foundation

/// The built gateway, serving on free ports of this machine with a store in a folder of its own.
public final class GatewayProcess: Sendable {
    public let program: Program
    public let port: UInt16
    public let adminPort: UInt16
    /// The folder of the store; kept by the process object, or shared by several.
    public let folder: TemporaryFolder

    public static let key = "sk-test-key-of-the-shop-tenant"
    public static let otherKey = "sk-test-key-of-another-tenant"

    /// Starts the gateway in front of the Kling at `kling`.
    /// - Parameter launcher: a command that starts the gateway by becoming it.
    public init(
        kling: String, folder: TemporaryFolder? = nil, environment extra: [String: String] = [:],
        arguments: [String] = [], launcher: [String] = []
    ) async throws {
        let folder = try folder ?? TemporaryFolder()
        self.folder = folder
        let program = try Program.gateway(
            ["serve"] + arguments, launcher: launcher,
            environment: try await Self.environment(kling: kling, folder).merging(extra) { _, new in new })
        self.program = program
        (port, adminPort) = try await program.errorLine { line in
            guard let entry = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
                entry["message"] as? String == "serving",
                let port = Self.port(entry["addresses"]), let admin = Self.port(entry["admin"])
            else { return nil }
            return (port, admin)
        }
    }

    /// The environment of a gateway by default.
    public static func environment(kling: String, _ folder: TemporaryFolder) async throws -> [String: String] {
        [
            "HOME": folder.path(""),
            "KLING_ACCESS_KEY": "simulated-access-key",
            "KLING_SECRET_KEY": "simulated-secret-key",
            "KLING_BASE_URL": kling,
            "KLING_GATEWAY_API_KEYS": "shop:\(key),other:\(otherKey)",
            "KLING_GATEWAY_LISTEN": "127.0.0.1:0",
            "KLING_GATEWAY_ADMIN_LISTEN": "127.0.0.1:0",
            "KLING_GATEWAY_STORE": try await folder.store,
            "KLING_GATEWAY_LOG_FORMAT": "json",
            // The spool and the rest, if the store is not in the folder.
            "STATE_DIRECTORY": folder.url.path(percentEncoded: false),
        ]
    }

    /// Sends a request as a client would, on a connection of its own.
    public func ask(
        _ method: String, _ path: String, key: String? = GatewayProcess.key, headers: [String] = [],
        body: String? = nil,
        admin: Bool = false
    ) async throws -> RawClient.Answer {
        let port = admin ? adminPort : port
        return try await blocking {
            let client = try RawClient(port: port)
            // Without a token, the admin listener answers under this machine's own names only.
            let host = admin ? "localhost" : "gateway"
            var head = "\(method) \(path) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n"
            if let key { head += "Authorization: Bearer \(key)\r\n" }
            for header in headers { head += header + "\r\n" }
            if let body { head += "Content-Length: \(body.utf8.count)\r\n" }
            try client.send(head + "\r\n" + (body ?? ""))
            guard let answer = try client.readAnswer(toHead: method == "HEAD") else {
                throw TestKitError("\(method) \(path): the connection was closed without an answer")
            }
            return answer
        }
    }

    /// Stops it as an operator would, and returns its exit status.
    public func stop() async throws -> Int32 {
        program.signal(SIGTERM)
        return try await program.end().status
    }

    private static func port(_ addresses: Any?) -> UInt16? {
        (addresses as? String)?.split(separator: ":").last.flatMap { UInt16($0) }
    }
}
