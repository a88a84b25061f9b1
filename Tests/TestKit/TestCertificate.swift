/// A self-signed certificate for `localhost` and 127.0.0.1, and its key, made by the `openssl` tool.
public struct TestCertificate: Sendable {
    /// The paths of the PEM files.
    public let certificate: String
    public let key: String
    /// The same key, encrypted with a passphrase.
    public let encryptedKey: String
    private let folder: TemporaryFolder

    public init() async throws {
        folder = try TemporaryFolder()
        certificate = folder.path("certificate.pem")
        key = folder.path("key.pem")
        encryptedKey = folder.path("encrypted.pem")
        try await Self.openssl([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-keyout", key, "-out", certificate,
        ])
        try await Self.openssl(["pkey", "-in", key, "-aes256", "-passout", "pass:secret", "-out", encryptedKey])
    }

    private static func openssl(_ arguments: [String]) async throws {
        let outcome = try await Program("openssl", arguments).end()
        if outcome.status != 0 { throw TestKitError("openssl: \(outcome.errors)") }
    }
}
