internal import Base

// The key names of the configuration, each with its property, its format and its bounds.

extension Configuration {
    static let schema = Schema<Configuration>([
        .list("listen", \.server.listen, .listenAddress),
        .section("tls", \.server.tls, TLS.schema, from: TLS()),
        .section("admin", \.admin, Admin.schema),
        .optional("public_url", \.server.publicURL, .url),
        .value("store", \.storage.store, .store),
        .secret("master_key", .masterKey) { $0.storage.masterKey = .value($1) },
        .value("workers", \.server.workers, .workers),
        .sections(
            "upstreams", \.upstreams, Upstream.schema, from: Upstream(url: Upstream.singapore), check: Upstream.check),
        .sections("keys", \.keys, ConfiguredKey.schema, from: ConfiguredKey(), check: ConfiguredKey.check),
        .entries("models", \.models, ConfiguredModel.schema, from: ConfiguredModel(), check: ConfiguredModel.check),
        .section("dispatch", \.tasks, Schema([.value("wait", \.dispatchWait, .duration(.zero ... .seconds(60)))])),
        .section("queue", \.tasks.queue, Queue.schema, from: Queue(), canBeOff: true),
        .value("spool", \.storage.spool, .path),
        .section("query", \.tasks, Schema([.value("freshness", \.freshness, .duration(.zero ... .seconds(3600)))])),
        .section("resend", \.tasks, Schema([.value("window", \.resendWindow, .duration(.zero ... .seconds(86_400)))])),
        .section("openai", \.tasks, Schema([.value("wait", \.openAIWait, .duration(.seconds(1) ... .seconds(3600)))])),
        .section("limits", \.server.limits, Limits.schema),
        .list("trusted_proxies", \.server.trustedProxies, .addressRange),
        .section("callbacks", \.allowed, Schema([.list("allow", \.callbacks, .addressRange)])),
        .section("fetch", \.allowed, Schema([.list("allow", \.fetch, .addressRange)])),
        .section("pictures", \.pictures, Pictures.schema),
        .section("cors", \.server, Schema([.list("origins", \.origins, .origin)])),
        .section("retention", \.storage.retention, Retention.schema),
        .section("alerts", \.alerts, Alerts.schema),
        .section("log", \.log, Log.schema),
        .section("shutdown", \.server.shutdown, Shutdown.schema),
    ])
}

extension Configuration.TLS {
    static let schema = Schema<Self>([
        .value("certificate", \.certificate, .path),
        .secret("private_key", .anySecret) { $0.privateKey = $1 },
    ])
}

extension Configuration.Admin {
    static let schema = Schema<Self>([
        .list("listen", \.listen, .listenAddress),
        .secret("token", .bearerKey) { $0.token = $1 },
    ])
}

extension Configuration.Queue {
    static let schema = Schema<Self>([
        .value("tasks", \.tasks, .count(1...1_000_000, or: "off in place of the whole queue")),
        .value("bytes", \.bytes, .bytes(1 << 20...1 << 44)),
        .value("max_age", \.maxAge, .duration(.seconds(1) ... .seconds(7 * 86_400))),
    ])
}

extension Configuration.Limits {
    static let schema = Schema<Self>([
        .value("body", \.body, .bytes(64 << 10...1 << 30)),
        .value("buffered_bytes", \.bufferedBytes, .bytes(1 << 20...1 << 44)),
        .value("header_bytes", \.headerBytes, .bytes(4 << 10...1 << 20)),
        .value("connections", \.connections, .count(1...1_000_000)),
        .value("connections_per_address", \.connectionsPerAddress, .count(0...1_000_000)),
    ])
}

extension Configuration.Pictures {
    static let schema = Schema<Self>([
        .value("linger", \.linger, .duration(.zero ... .seconds(86_400))),
        .value("age", \.age, .duration(.seconds(60) ... .seconds(86_400))),
        .value("bytes", \.bytes, .bytes(32 << 20...1 << 44)),
    ])
}

extension Configuration.Retention {
    private static let day = Duration.seconds(86_400)
    static let schema = Schema<Self>([
        .value("tasks", \.tasks, .duration(day...day * 36_500)),
        .value("deliveries", \.deliveries, .duration(day...day * 36_500)),
    ])
}

extension Configuration.Alerts {
    static let schema = Schema<Self>([
        .secret("url", .webhookURL) { $0.url = $1 },
        .secret("secret", .signingSecret) { $0.secret = $1 },
    ])

    /// Requires a secret with a URL, and a URL with a secret. Values that can't be read have been reported already.
    func check(_ node: ConfigurationNode?, _ reader: inout ConfigurationReader) {
        guard let node else { return }
        for (name, other) in [("url", "secret"), ("secret", "url")] where isSet(name, node) && !isSet(other, node) {
            reader.report(.init(path: "alerts"), "\(other) is missing: set it, or remove \(name)")
        }
    }

    private func isSet(_ name: String, _ node: ConfigurationNode) -> Bool {
        guard let value = node[name] else { return false }
        if case .nothing = value.content { return false }
        return true
    }
}

extension Configuration.Log {
    static let schema = Schema<Self>([.value("level", \.level, .level), .optional("format", \.format, .word)])
}

extension Configuration.Shutdown {
    static let schema = Schema<Self>([
        .value("delay", \.delay, .duration(.zero ... .seconds(3600))),
        .value("grace", \.grace, .duration(.zero ... .seconds(3600))),
    ])
}

extension Upstream {
    static let schema = Schema<Upstream>([
        .value("name", \.name, .accountName),
        .value("url", \.url, .url),
        .secret("access_key") { $0.given.accessKey = $1 },
        .secret("secret_key") { $0.given.secretKey = $1 },
        .secret("api_key") { $0.given.apiKey = $1 },
        .secrets("webhook_secret", .webhookSecret) { $0.webhookSecrets = $1 },
        .optional("concurrency", \.concurrency, .count(1...100_000)),
        .value("weight", \.weight, .count(1...1000)),
        .list("models", \.models, .model),
        .value("timeout", \.timeout, .duration(.seconds(1) ... .seconds(600))),
        .optional("ca_file", \.caFile, .path),
        .secret("proxy", .proxy) { $0.proxy = $1 },
        .value("pictures", \.pictures, .word),
        .value("api", \.api, .word),
        .value("lookup", \.lookup, .word),
        .value("unique", \.unique, .word),
    ])

    /// Requires a name and exactly one kind of credentials. Values that can't be read have been reported already.
    @Sendable static func check(
        upstream: Upstream, node: ConfigurationNode, place: ConfigurationPlace, reader: inout ConfigurationReader
    ) {
        if upstream.api == .solutions, upstream.given.apiKey == nil {
            reader.report(
                place, "api: solutions takes an api_key; an access_key with a secret_key can only speak kolors")
        }
        if node["name"] == nil { reader.report(place, "name is missing") }
        switch (node["access_key"] != nil, node["secret_key"] != nil, node["api_key"] != nil) {
        case (true, true, false), (false, false, true): break
        case (true, false, false): reader.report(place, "access_key without secret_key")
        case (false, true, false): reader.report(place, "secret_key without access_key")
        case (false, false, false):
            reader.report(place, "credentials are missing: access_key and secret_key, or api_key")
        default: reader.report(place, "two kinds of credentials: give access_key and secret_key, or api_key")
        }
    }
}

extension ConfiguredModel {
    static let schema = Schema<Self>([
        .value("name", \.name, .model), .optional("stands_for", \.standsFor, .model),
    ])
}

extension ConfiguredKey {
    static let schema = Schema<ConfiguredKey>([
        .secret("key", .bearerKey) { $0.key = $1 },
        .value("tenant", \.tenant, .tenant),
        .optional("requests_per_minute", \.requestsPerMinute, .count(1...10_000_000)),
        .optional("concurrency", \.concurrency, .count(1...1_000_000)),
        .list("models", \.models, .model),
        .list("addresses", \.addresses, .addressRange),
    ])

    @Sendable static func check(
        _: ConfiguredKey, node: ConfigurationNode, place: ConfigurationPlace, reader: inout ConfigurationReader
    ) {
        for name in ["key", "tenant"] where node[name] == nil { reader.report(place, "\(name) is missing") }
    }
}
