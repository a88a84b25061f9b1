import Base
import Testing

@testable import GatewayConfiguration

/// The webhook that operators are alerted by.
struct AlertsTests {
    private static let secret = "whsec_" + String(repeating: "S3CRETS3", count: 4)

    @Test func `a webhook has a URL and a secret, from the file or from the environment`() throws {
        let file = try ConfigurationTests.load("alerts: {url: 'https://ops.example/a?token=b', secret: \(Self.secret)}")
        #expect(file.alerts.url?.reveal() == "https://ops.example/a?token=b")
        #expect(file.alerts.secret?.reveal() == Self.secret)
        let variables = [
            "KLING_GATEWAY_ALERTS_URL": "http://10.0.0.1:9/x", "KLING_GATEWAY_ALERTS_SECRET": Self.secret,
        ]
        let environment = try ConfigurationTests.load("", ConfigurationTests.secrets.merging(variables) { $1 })
        #expect(environment.alerts.url?.reveal() == "http://10.0.0.1:9/x" && environment.alerts.secret != nil)
        let mixed = try ConfigurationTests.load(
            "alerts: {url: {env: KLING_GATEWAY_ALERTS_URL}, secret: \(Self.secret)}",
            ConfigurationTests.secrets.merging(["KLING_GATEWAY_ALERTS_URL": "https://S3CRET.example"]) { $1 })
        #expect(mixed.alerts.url?.reveal() == "https://S3CRET.example" && mixed.warnings.count == 1)
        #expect(!String(reflecting: mixed).contains("S3CRET"))
    }

    @Test(arguments: [
        ("alerts: {url: 'https://ops.example/S3CRET'}", "alerts: secret is missing: set it, or remove url"),
        ("alerts: {secret: \(secret)}", "alerts: url is missing: set it, or remove secret"),
        ("alerts: {url: 'ftp://S3CRET', secret: \(secret)}", "alerts.url (line 1): the secret (not shown, 12 bytes)"),
        ("alerts: {url: 'https://a', secret: S3CRET-without-its-prefix}", "allowed: whsec_ followed by base64"),
        ("alerts: {url: 'https://a', secret: 'whsec_S3CRET-is-no-base64!'}", "allowed: whsec_ followed by base64"),
        ("alerts: {uri: 'https://S3CRET'}", "alerts.uri (line 1): unknown key; did you mean url?"),
    ])
    func `half a webhook, or a malformed one, is a problem that shows no secret`(yaml: String, expected: String) {
        let report = ConfigurationTests.problems(yaml)
        #expect(report.contains(expected) && !report.contains("S3CRET"), "\(report)")
    }

    @Test(arguments: [(ConfigurationPurpose.administration, false), (.alerting, true), (.serving, true)])
    func `commands that need no webhook do not read it`(purpose: ConfigurationPurpose, isRead: Bool) throws {
        let files = ConfigurationFiles(
            read: { _ in .success("alerts: {url: {env: HOOK}, secret: {env: SECRET}}") }, exists: { _ in false },
            isWritable: { _ in false })
        func load(_ environment: [String: String]) throws -> Configuration {
            try Configuration.load(
                from: ConfigurationSources(
                    environment: ConfigurationTests.secrets.merging(environment) { $1 }, configFlag: "config.yaml",
                    files: files), for: purpose)
        }
        let both = ["HOOK": "https://ops.example", "SECRET": Self.secret]
        let url = try load(both).alerts.url
        #expect((url != nil) == isRead)
        if isRead {
            #expect(throws: ConfigurationError.self) { try load([:]) }
        } else {
            _ = try load(["KLING_GATEWAY_ALERTS_URL": "https://ops.example"])
        }
    }
}
