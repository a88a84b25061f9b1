import Base
import Foundation
import TestKit
import Testing

@testable import GatewayConfiguration

struct ConfigurationTests {
    static let secrets = ["KLING_ACCESS_KEY": "access-S3CRET", "KLING_SECRET_KEY": "secret-S3CRET", "HOME": "/home/me"]

    static func load(
        _ yaml: String?, _ environment: [String: String] = secrets, flags: [String: String] = [:]
    ) throws -> Configuration {
        let files = ConfigurationFiles(
            read: { path in
                switch path {
                case "config.yaml": .success(yaml ?? "")
                case "/secret": .success("file-S3CRET\n")
                case "/empty": .success("\n")
                default: .failure(.init("No such file or directory"))
                }
            },
            exists: { _ in false }, isWritable: { _ in false })
        return try Configuration.load(
            from: ConfigurationSources(
                environment: environment, configFlag: yaml == nil ? nil : "config.yaml", flags: flags, files: files))
    }

    static func problems(_ yaml: String, _ environment: [String: String] = secrets) -> String {
        do {
            _ = try load(yaml, environment)
            return "no problem"
        } catch {
            return "\(error)"
        }
    }

    @Test func `two credentials and a key are a complete configuration`() throws {
        var environment = Self.secrets
        environment["KLING_GATEWAY_API_KEYS"] = "shop:sk-12345678, sk-abcdefgh"
        let configuration = try Self.load(nil, environment)
        #expect(configuration.upstreams.map(\.name) == ["env"])
        #expect(configuration.upstreams[0].url.text == "https://api-singapore.klingai.com")
        #expect(configuration.keys[0].tenant == "shop")
        #expect(configuration.keys[1].tenant.hasPrefix("key-") && configuration.keys[1].tenant.count == 12)
        #expect(configuration.keys[1].key.reveal() == "sk-abcdefgh")
        #expect(configuration.storage.store == .sqlite(path: "/home/me/.local/state/kling-gateway/gateway.db"))
        #expect(configuration.storage.spool == "/home/me/.local/state/kling-gateway/spool")
    }

    @Test func `two stores in one folder have a spool each`() throws {
        var environment = Self.secrets
        environment["KLING_GATEWAY_API_KEYS"] = "shop:sk-12345678"
        environment["KLING_GATEWAY_STORE"] = "sqlite:/data/gateway.db"
        #expect(try Self.load(nil, environment).storage.spool == "/data/spool")
        environment["KLING_GATEWAY_STORE"] = "sqlite:/data/second.db"
        #expect(try Self.load(nil, environment).storage.spool == "/data/second.db.spool")
        #expect(try Self.load(nil, environment).storage.store.pictures == "/data/second.db.pictures")
    }

    @Test func `reference.yaml has every key at its default`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Config")
        let text = try String(contentsOf: root.appending(path: "reference.yaml"), encoding: .utf8)
        var environment = Self.secrets
        environment["RESELLER_KEY"] = "reseller-S3CRET"
        environment["CLIENT_KEY"] = "client-S3CRET"
        var reference = try Self.load(text, environment)
        #expect(reference.upstreams.map(\.name) == ["kling-main", "reseller"])
        let examples = Upstream(url: Upstream.singapore)
        #expect(reference.upstreams[0].timeout == examples.timeout && reference.upstreams[0].lookup == examples.lookup)
        #expect(
            reference.upstreams[0].weight == examples.weight && reference.upstreams[0].pictures == examples.pictures)
        var defaults = try Self.load(nil, Self.secrets)
        (reference.upstreams, defaults.upstreams, reference.keys, defaults.keys) = ([], [], [], [])
        (reference.warnings, defaults.warnings) = ([], [])
        #expect(String(reflecting: reference) == String(reflecting: defaults))
        for name in Configuration.schema.paths.map({ $0.split(separator: ".").last ?? "" }) {
            #expect(text.contains("\(name):"), "the reference lacks \(name)")
        }
        let minimal = try String(contentsOf: root.appending(path: "minimal.yaml"), encoding: .utf8)
        #expect(try Self.load(minimal, environment).keys.map(\.tenant) == ["shop"])
    }

    @Test func `a duration of zero needs no unit`() throws {
        #expect(try Self.load("resend: {window: 0}").tasks.resendWindow == .zero)
        #expect(try Self.load("resend: {window: 0s}").tasks.resendWindow == .zero)
    }

    @Test func `YAML scalars are read as text, not as numbers or Booleans`() throws {
        let yaml = "queue: off\nkeys: [{key: 0123456789, tenant: 007}]\nworkers: 3\nlisten: ['[::]:80', unix:/run/x]"
        let configuration = try Self.load(yaml)
        #expect(configuration.tasks.queue == nil)
        #expect(configuration.keys[0].key.reveal() == "0123456789" && configuration.keys[0].tenant == "007")
        #expect(configuration.server.workers == 3)
        #expect(configuration.server.listen == [.tcp(host: "::", port: 80), .unix(path: "/run/x")])
    }

    @Test func `flags override the environment, which overrides the file`() throws {
        var environment = Self.secrets
        environment["KLING_GATEWAY_LOG_LEVEL"] = "debug"
        environment["KLING_GATEWAY_LOG_FORMAT"] = "text"
        environment["KLING_GATEWAY_QUEUE"] = "7"
        environment["KLING_GATEWAY_CALLBACK_ALLOW"] = "10.0.0.0/8, fd00::/8"
        #expect(try Self.load(nil).log.format == nil, "the terminal decides")
        let configuration = try Self.load("log: {level: error}\nqueue: off", environment, flags: ["log.level": "trace"])
        #expect(configuration.log.level == .trace && configuration.log.format == .text)
        #expect(configuration.tasks.queue?.tasks == 7)
        #expect(configuration.allowed.callbacks.map(\.description) == ["10.0.0.0/8", "fd00::/8"])
    }

    @Test func `an invalid queue value is answered with the allowed ones, including off`() {
        let report = Self.problems("", Self.secrets.merging(["KLING_GATEWAY_QUEUE": "none"]) { $1 })
        #expect(report.contains("KLING_GATEWAY_QUEUE: found \"none\"; allowed: a number from 1 to 1000000, or off"))
    }

    @Test func `a variable that the file uses does not add an account`() throws {
        let yaml = """
            upstreams: [{name: a, access_key: {env: KLING_ACCESS_KEY}, secret_key: {file: /secret}}]
            """
        let configuration = try Self.load(yaml, ["KLING_ACCESS_KEY": "access", "HOME": "/"])
        guard case .keyPair(_, let secret) = configuration.upstreams[0].credentials else { return #expect(Bool(false)) }
        #expect(configuration.upstreams.count == 1 && secret.reveal() == "file-S3CRET")
    }

    @Test(arguments: [("KLING_BASE_URL", "https://kling.example"), ("KLING_API", "kolors")])
    func `a variable for the environment's account warns if there is no such account`(
        variable: String, value: String
    ) throws {
        let environment = Self.secrets.merging([variable: value]) { $1 }
        #expect(try Self.load("", environment).warnings.allSatisfy { $0.place != variable })
        let yaml = "upstreams: [{name: a, api_key: {env: KLING_API_KEY}}]"
        let warnings = try Self.load(yaml, ["HOME": "/", variable: value, "KLING_API_KEY": "key-S3CRET"]).warnings
        #expect(warnings.contains { $0.place == variable }, "\(warnings)")
    }

    @Test func `an empty list of secrets is an error`() {
        let report = Self.problems("upstreams: [{name: a, api_key: S3CRET-1, webhook_secret: []}]")
        #expect(report.contains("webhook_secret (line 1): the list is empty"), "\(report)")
    }

    @Test(arguments: [
        ("lisen: 1", "lisen (line 1): unknown key; did you mean listen?"),
        ("zzzzzz: 1", "zzzzzz (line 1): unknown key; known here: listen"),
        ("spool: /a\nspool: /b", "spool (line 1): occurs twice in the same map"),
        ("log: {level: info, level: info}\nworkers: x", "log.level (line 1): occurs twice"),
        ("a: [", "the file (line 2): not YAML"),
        ("listen: 8080", "listen (line 1): found \"8080\"; allowed: ADDRESS:PORT"),
        ("public_url: htp://x", "public_url (line 1): found \"htp://x\"; allowed: an http or https URL"),
        ("public_url: https://u:hunter2-S3CRET@x", "found a text with '@' (not shown)"),
        ("store: mysql://x", "allowed: sqlite:PATH"),
        ("workers: 0", "allowed: auto or a number from 1 to 256"),
        ("limits: {body: 32MB}", "limits.body (line 1): found \"32MB\"; allowed: 65536 to"),
        ("limits: {buffered_bytes: 32MiB}", "limits.buffered_bytes: found 33554432; allowed: at least twice"),
        ("query: {freshness: 1}", "query.freshness (line 1): found \"1\"; allowed: a duration from 0s to 1h"),
        ("pictures: {age: 1s}", "pictures.age (line 1): found \"1s\"; allowed: a duration from 1m to 1d"),
        ("pictures: {bytes: 1g}", "pictures.bytes (line 1): found \"1g\"; allowed: 33554432 to"),
        ("pictures: normalize", "pictures (line 1): found a text; expected a map of linger, age, bytes"),
        ("callbacks: {allow: [10.0.0.1/8]}", "callbacks.allow[0] (line 1)"),
        ("log: {level: loud, format: xml}", "log.format (line 1): found \"xml\"; allowed: json, text"),
        ("log: debug", "log (line 1): found a text; expected a map of level, format"),
        ("cors: {origins: [shop]}", "cors.origins[0] (line 1)"),
        ("tls: {certificate: /x}", "tls: private_key is missing"),
        ("tls: {private_key: S3CRET}", "tls: certificate is missing"),
        ("tls: {certificate: /x, private_key: S3CRET}", "tls.certificate: /x cannot be read: No such file"),
        ("tls: {certificate: /x, private_key: {file: /y}}", "tls.private_key (line 1): /y cannot be read: No such"),
        ("tls: {certificate: /empty, private_key: S3CRET}", "tls.certificate: /empty: it holds no certificate in PEM"),
        ("admin: {token: {env: NOPE}}", "admin.token (line 1): the variable NOPE is not set"),
        ("admin: {token: {file: /nope}}", "admin.token (line 1): /nope cannot be read: No such file"),
        ("admin: {token: {file: /empty}}", "admin.token (line 1): the secret is empty"),
        ("admin: {token: 'a S3CRET b'}", "the secret (not shown, 10 bytes) is malformed"),
        ("admin: {listen: '0.0.0.0:8080'}", "listen: 0.0.0.0:8080 is used twice"),
        ("upstreams: [{name: a, access_key: S3CRET}]", "upstreams[0] (line 1): access_key without secret_key"),
        ("upstreams: [{name: a, secret_key: S3CRET}]", "upstreams[0] (line 1): secret_key without access_key"),
        ("upstreams: [{name: a}]", "upstreams[0] (line 1): credentials are missing"),
        ("upstreams: [{api_key: S3CRET}]", "upstreams[0] (line 1): name is missing"),
        ("upstreams: [{name: a, secret_key: S3CRET, api_key: S3CRET}]", "two kinds of credentials"),
        ("upstreams: [{name: env, api_key: S3CRET}]", "upstreams[1].name: the same as upstreams[0].name"),
        (
            "upstreams: [{name: A, api_key: S3CRET, timout: 1s}]",
            "upstreams[0].timout (line 1): unknown key; did you mean timeout"
        ),
        ("keys: [{key: S3CRET-12, tenant: a}, {key: S3CRET-12, tenant: b}]", "keys[1].key: the same as keys[0].key"),
        ("keys: [{key: S3CRET-12, tenant: a, models: [v9]}]", "keys[0].models (line 1): v9 is not known"),
        (
            "models:\n- v9\nkeys:\n- {key: S3CRET-12, tenant: a, models: [v8]}",
            "keys[0].models (line 4): v8 is not known: add it to models, or use one of kolors-virtual-try-on-v1,"
        ),
        ("keys: [{key: S3CRET-12, tenant: a, addresses: 10.0.0.1/8}]", "keys[0].addresses (line 1)"),
        ("keys: [{key: S3CRET-12}]", "keys[0] (line 1): tenant is missing"),
        ("keys: [{sk-S3CRET-12}]", "keys[0].(a key that is not shown) (line 1): unknown key"),
    ])
    func `a problem names its place and the allowed values, and shows no secret`(yaml: String, expected: String) {
        let report = Self.problems(yaml)
        #expect(report.contains(expected), "\(report)")
        #expect(!report.contains("S3CRET"), "\(report)")
    }

    @Test func `a certificate is checked against its key`() async throws {
        let (one, other) = (try await TestCertificate(), try await TestCertificate())
        func load(_ key: String) throws -> Configuration {
            let folder = try TemporaryFolder()
            let yaml = "tls: {certificate: \(one.certificate), private_key: {file: \(key)}}"
            let file = try folder.write(yaml, to: "config.yaml")
            return try Configuration.load(from: ConfigurationSources(environment: Self.secrets, configFlag: file))
        }
        let tls = try #require(load(one.key).server.tls)
        #expect(tls.chain.hasPrefix("-----BEGIN CERTIFICATE-----"))
        #expect(tls.privateKey.reveal().hasPrefix("-----BEGIN PRIVATE KEY-----"))
        for (key, reason) in [
            (other.key, "it does not belong to the certificate"), (one.encryptedKey, "it is encrypted"),
            (one.certificate, "it is not a private key in PEM"),
        ] {
            let error = #expect(throws: ConfigurationError.self) { try load(key) }
            #expect(error?.problems.count == 1)
            #expect(error?.description.contains("tls.private_key: \(reason)") == true, "\(String(describing: error))")
        }
    }

    @Test(arguments: [
        ("KLING_GATEWAY_LISTEM", "KLING_GATEWAY_LISTEN"), ("KLING_GATEWAY_LOGLEVEL", "KLING_GATEWAY_LOG_LEVEL"),
        ("KLING_GATEWAY_API_KEY", "KLING_GATEWAY_API_KEYS"), ("KLING_GATEWAY_CONFG", "KLING_GATEWAY_CONFIG"),
    ])
    func `the warning about a misspelled variable suggests the right one`(variable: String, right: String) throws {
        let environment = Self.secrets.merging([variable: "x"]) { $1 }
        let warnings = try Self.load(nil, environment).warnings.map(\.description)
        #expect(warnings.contains("\(variable): has no effect; did you mean \(right)?"), "\(warnings)")
        // A variable that the file itself names causes no warning.
        let file = try Self.load(
            "admin: {token: {env: \(variable)}}", Self.secrets.merging([variable: "token-S3CRET"]) { $1 })
        #expect(file.warnings.allSatisfy { $0.place != variable })
    }

    @Test(arguments: ["SERVICE_HOST", "SERVICE_PORT", "PORT", "PORT_8080_TCP_ADDR", "SERVICE_PORT_HTTP"])
    func `variables that Kubernetes sets for a service of that name cause no warning`(name: String) throws {
        let variable = "KLING_GATEWAY_" + name
        let warnings = try Self.load(nil, Self.secrets.merging([variable: "10.0.0.1"]) { $1 }).warnings
        #expect(warnings.allSatisfy { $0.place != variable }, "\(warnings)")
    }

    @Test func `work on the store needs no account and none of the secrets that only serving needs`() throws {
        let yaml = """
            store: sqlite:/data/gateway.db
            upstreams: [{name: a, api_key: {env: KLING_API_KEY}}]
            keys: [{key: {env: CLIENT_KEY}, tenant: shop}]
            admin: {listen: '127.0.0.1:9', token: {file: /nope}}
            tls: {certificate: /nope, private_key: {file: /nope}}
            """
        let sources = ConfigurationSources(
            environment: ["KLING_ACCESS_KEY": "half"], configFlag: "config.yaml",
            files: ConfigurationFiles(
                read: { $0 == "config.yaml" ? .success(yaml) : .failure(.init("no such file")) },
                exists: { _ in false }, isWritable: { _ in false }))
        let configuration = try Configuration.load(from: sources, for: .administration)
        #expect(configuration.storage.store == .sqlite(path: "/data/gateway.db"))
        #expect(configuration.admin.listen == [.tcp(host: "127.0.0.1", port: 9)])
        #expect(configuration.warnings.isEmpty)
        #expect(throws: ConfigurationError.self) { try Configuration.load(from: sources) }
    }

    @Test(arguments: ["a: [", "a: b: c", "\"half"])
    func `a file that is not YAML is reported as that one problem`(yaml: String) {
        let report = Self.problems(yaml, [:])
        #expect(report.hasPrefix("1 problem in config.yaml:") && report.contains("not YAML"), "\(report)")
    }

    @Test func `all problems are reported at once`() {
        #expect(Self.problems("lisen: 1\nworkers: x\nspool: a\nspool: b").hasPrefix("3 problems in config.yaml:"))
    }

    @Test(arguments: [
        (["KLING_ACCESS_KEY": "S3CRET"], "KLING_SECRET_KEY: is not set, but KLING_ACCESS_KEY is"),
        (["KLING_SECRET_KEY": "S3CRET"], "KLING_ACCESS_KEY: is not set, but KLING_SECRET_KEY is"),
        ([:], "upstreams: no Kling account"),
        (["KLING_API_KEY": "S3CRET", "KLING_BASE_URL": "x"], "KLING_BASE_URL: found \"x\""),
        (
            ["KLING_API_KEY": "S3CRET", "KLING_GATEWAY_API_KEYS": "sk-S3C"],
            "KLING_GATEWAY_API_KEYS, entry 1: the secret"
        ),
        (["KLING_API_KEY": "S3CRET", "KLING_GATEWAY_WORKERS": "many"], "KLING_GATEWAY_WORKERS: found \"many\""),
    ])
    func `a problem in the environment names its variable`(environment: [String: String], expected: String) {
        let report = Self.problems("", environment.merging(["HOME": "/"]) { $1 })
        #expect(report.contains(expected), "\(report)")
        #expect(!report.contains("S3C"), "\(report)")
    }

    @Test func `a configuration prints no secret`() throws {
        let yaml =
            "keys: [{key: S3CRET-12, tenant: a}]\nadmin: {token: S3CRET-34}\nmaster_key: S3CRET-56-S3CRET-56-S3CRET-56-S3CRET"
        let configuration = try Self.load(yaml)
        #expect(!"\(configuration)".contains("S3CRET"))
        #expect(!String(reflecting: configuration).contains("S3CRET"))
        var dumped = ""
        dump(configuration, to: &dumped)
        #expect(!dumped.contains("S3CRET"))
    }
}
