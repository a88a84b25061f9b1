import Base
import EventLoop
import Foundation
import HTTPClient
import Testing

/// An HTTPS server run by the `openssl` tool, with a self-signed certificate for `localhost`.
private final class TLSServer: Sendable {
    let port: Int
    let certificate: String
    private let folder: URL
    private let process: Lock<Process>

    /// Starts the server; `nil` if the tool is missing.
    init?() throws {
        let tool = ["/usr/bin/openssl", "/usr/local/bin/openssl"]
            .first { FileManager.default.isExecutableFile(atPath: $0) }
        guard let tool else { return nil }
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        certificate = folder.appendingPathComponent("cert.pem").path
        let key = folder.appendingPathComponent("key.pem").path
        let maker = try Self.run(
            tool, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate)
        maker.process.waitUntilExit()
        // With port 0, the tool reports the port that it got.
        let server = try Self.run(tool, "s_server", "-accept", "127.0.0.1:0", "-cert", certificate, "-key", key, "-www")
        var said = ""
        while !said.contains("\n") || !said.contains("ACCEPT") {
            let data = server.output.availableData
            if data.isEmpty { break }
            said += String(decoding: data, as: UTF8.self)
        }
        let digits = said.split(separator: "\n").first { $0.contains("ACCEPT") }?.split(separator: ":").last
        process = Lock(server.process)
        port = try #require(digits.flatMap { Int($0.filter(\.isNumber)) }, "openssl said: \(said)")
    }

    deinit {
        // A worker thread's child inherits its blocked signals, among them SIGTERM.
        process.withLock { _ = kill($0.processIdentifier, SIGKILL) }
        try? FileManager.default.removeItem(at: folder)
    }

    private static func run(_ tool: String, _ arguments: String...) throws -> (process: Process, output: FileHandle) {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: tool)
        process.arguments = arguments
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
        return (process, output.fileHandleForReading)
    }
}

struct TLSTests {
    @Test func `a certificate is trusted only through the CA file and only for its name`() async throws {
        guard let server = try TLSServer() else { return print("skipped: there is no openssl tool here") }
        let certificate = server.certificate
        try await withClient { client, _ in
            let url = "https://localhost:\(server.port)/"
            let untrusted = await client.failure(.post(url))
            #expect(untrusted?.code == .tls)
            #expect(untrusted?.wasSent == false)
            let answer = try await client.execute(.get(url) { $0.caFile = certificate })
            #expect(answer.status == 200)
            #expect(answer.timings.tls > .zero)
            let otherName = await client.failure(
                .post("https://127.0.0.1:\(server.port)/") { $0.caFile = certificate })
            #expect(otherName?.code == .tls)
            #expect(otherName?.wasSent == false)
            let again = await client.failure(.post(url))
            #expect(again?.code == .tls, "a trusted connection was used for a request that does not trust it")
            let noFile = await client.failure(.post(url) { $0.caFile = "/nonexistent.pem" })
            #expect(noFile?.code == .tls)
        }
    }

    @Test func `a plain server fails the TLS handshake and counts as not sent`() async throws {
        let server = TestServer { connection in
            connection.write("HTTP/1.1 400 Bad Request\r\n\r\n")
            connection.readToEnd()
        }
        try await withClient { client, _ in
            let error = await client.failure(.post("https://127.0.0.1:\(server.port)/"))
            #expect(error?.code == .tls)
            #expect(error?.wasSent == false)
        }
    }

    @Test func `a handshake that never comes times out and counts as not sent`() async throws {
        let server = TestServer { $0.readToEnd() }
        try await withClient { client, _ in
            let error = await client.failure(
                .post("https://127.0.0.1:\(server.port)/") { $0.connectTimeout = .milliseconds(100) })
            #expect(error?.code == .timeout)
            #expect(error?.wasSent == false)
        }
    }
}
