import TestKit
import Testing

/// The built gateway with a certificate.
@Suite(.aFewAtATime) struct TLSTests {
    @Test func `curl is served over TLS and trusts the certificate`() async throws {
        let files = try await TestCertificate()
        let file = "tls: { certificate: \(files.certificate), private_key: { file: \(files.key) } }"
        try await Fixture.run(file: file) { fixture in
            let gateway = fixture.gateway
            let folder = try TemporaryFolder()
            let url = "https://127.0.0.1:\(gateway.port)" + Fixture.path
            let trusting = [
                "--cacert", files.certificate, "-o", "/dev/null", "-w", "%{http_code} %{num_connects}\n",
                "-H", "Authorization: Bearer \(GatewayProcess.key)", "-H", "Content-Type: application/json", "-d",
            ]
            let small = try folder.write(Fixture.body(), to: "small.json")
            let created = try await curl(trusting + ["@\(small)", url, "-o", "/dev/null", url])
            #expect(created.written == "200 1\n200 0\n", "\(created.messages)")
            #expect(created.messages.contains("ALPN: server accepted http/1.1"))
            let padding = String(repeating: "x", count: 5 << 20)
            let large = try folder.write(Fixture.body("\"padding\":\"\(padding)\""), to: "large.json")
            let big = try await curl(trusting + ["@\(large)", url])
            #expect(big.written == "200 1\n", "\(big.messages)")
            #expect(try await curl([url]).messages.contains("SSL certificate problem"))
            let plain = try await gateway.ask("GET", Fixture.path)
            #expect(plain.status == 400 && plain.text == "This port speaks TLS: https.\n")
            #expect(try await gateway.ask("GET", "/healthz", key: nil, admin: true).status == 200)
            #expect(!gateway.program.errorText.contains("PRIVATE KEY"))
        }
    }

    @Test(arguments: ["serve", "check-config"])
    func `a private key of another certificate is a configuration problem`(command: String) async throws {
        let (one, other) = (try await TestCertificate(), try await TestCertificate())
        let folder = try TemporaryFolder()
        let file = try folder.write(
            "tls: { certificate: \(one.certificate), private_key: { file: \(other.key) } }", to: "config.yaml")
        let environment = try await GatewayProcess.environment(kling: "http://127.0.0.1:1", folder)
        let outcome = try await Program.gateway([command, "--config", file], environment: environment).end()
        #expect(outcome.status == 78)
        #expect(outcome.errors.contains("tls.private_key: it does not belong to the certificate"), "\(outcome.errors)")
    }
}
