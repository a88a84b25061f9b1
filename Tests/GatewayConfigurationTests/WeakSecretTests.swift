import Foundation
import Testing

@testable import GatewayConfiguration

/// Keys and tokens that could be guessed.
struct WeakSecretTests {
    private static func load(_ environment: [String: String], yaml: String? = nil) throws -> Configuration {
        let files = ConfigurationFiles(
            read: { _ in .success(yaml ?? "") }, exists: { _ in false }, isWritable: { _ in false })
        return try Configuration.load(
            from: ConfigurationSources(
                environment: ConfigurationTests.secrets.merging(environment) { $1 },
                configFlag: yaml == nil ? nil : "config.yaml", files: files),
            refusingWeakSecrets: true)
    }

    private static func problems(_ environment: [String: String], yaml: String? = nil) -> String {
        do {
            _ = try load(environment, yaml: yaml)
            return ""
        } catch {
            return "\(error)"
        }
    }

    @Test func `short keys and those of the documentation are named, with the fix and without the secret`() {
        let long = "sk-0123456789abcdefg"
        let keys = "shop:\(long),shop:sk-0123456789abcdef,b:sk-choose-a-long-random-text"
        let report = Self.problems(["KLING_GATEWAY_API_KEYS": keys, "KLING_GATEWAY_ADMIN_TOKEN": "0123456789"])
        #expect(report.contains("3 problems"))
        #expect(report.contains("KLING_GATEWAY_API_KEYS, entry 2: this has 19 characters"))
        #expect(report.contains("KLING_GATEWAY_API_KEYS, entry 3: this is an example from the documentation"))
        #expect(report.contains("KLING_GATEWAY_ADMIN_TOKEN: this has 10 characters"))
        #expect(report.contains("openssl rand -hex 24") && report.contains("--allow-weak-keys"))
        #expect(!report.contains("0123456789a"))
        #expect(Self.problems(["KLING_GATEWAY_API_KEYS": "shop:\(long)"]).isEmpty)
    }

    @Test func `keys in a file are named by their place and line`() {
        let yaml = "admin:\n  token: also-weak\nkeys:\n  - { key: sk-0123456789, tenant: shop }\n"
        let report = Self.problems([:], yaml: yaml)
        #expect(report.contains("keys[0].key (line 4): this has 13 characters"))
        #expect(report.contains("admin.token (line 2): this has 9 characters"))
    }

    @Test func `every key that the documentation shows is refused`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let pages = ["README.md", "Examples/README.md", "Config/compose.yaml"]
        let guides = try FileManager.default.contentsOfDirectory(atPath: root.appending(path: "docs").path)
        var found = 0
        for page in pages + guides.filter({ $0.hasSuffix(".md") }).map({ "docs/" + $0 }) {
            let text = try String(contentsOf: root.appending(path: page), encoding: .utf8)
            for match in text.matches(of: #/sk-[A-Za-z0-9_-]{8,}/#) {
                found += 1
                #expect(WeakSecret.documented.contains(String(match.output)), "\(page)")
            }
        }
        #expect(found > 0)
    }
}
