internal import Crypto

/// An environment variable that overrides a configuration key.
struct ConfigurationOverride: Sendable {
    let variable: String
    let path: String

    static let all = [
        ConfigurationOverride(variable: "KLING_GATEWAY_LISTEN", path: "listen"),
        ConfigurationOverride(variable: "KLING_GATEWAY_ADMIN_LISTEN", path: "admin.listen"),
        ConfigurationOverride(variable: "KLING_GATEWAY_ADMIN_TOKEN", path: "admin.token"),
        ConfigurationOverride(variable: "KLING_GATEWAY_PUBLIC_URL", path: "public_url"),
        ConfigurationOverride(variable: "KLING_GATEWAY_STORE", path: "store"),
        ConfigurationOverride(variable: "KLING_GATEWAY_MASTER_KEY", path: "master_key"),
        ConfigurationOverride(variable: "KLING_GATEWAY_WORKERS", path: "workers"),
        ConfigurationOverride(variable: "KLING_GATEWAY_CALLBACK_ALLOW", path: "callbacks.allow"),
        ConfigurationOverride(variable: "KLING_GATEWAY_FETCH_ALLOW", path: "fetch.allow"),
        ConfigurationOverride(variable: "KLING_GATEWAY_QUEUE", path: "queue"),
        ConfigurationOverride(variable: "KLING_GATEWAY_ALERTS_URL", path: "alerts.url"),
        ConfigurationOverride(variable: "KLING_GATEWAY_ALERTS_SECRET", path: "alerts.secret"),
        ConfigurationOverride(variable: "KLING_GATEWAY_LOG_LEVEL", path: "log.level"),
        ConfigurationOverride(variable: "KLING_GATEWAY_LOG_FORMAT", path: "log.format"),
    ]

    /// The keys with lists, which are comma-separated outside of a file.
    private static let lists: Set = [
        "listen", "admin.listen", "callbacks.allow", "fetch.allow", "models", "trusted_proxies", "cors.origins",
    ]

    /// Overrides the key at `path` with a text.
    static func apply(_ text: String, from origin: String, to path: String, in root: inout ConfigurationNode) {
        if path == "queue", text != "off" {
            if case .text? = root["queue"]?.content { root.set(["queue"], to: ConfigurationNode(.nothing)) }
            return apply(text, from: origin, to: "queue.tasks", in: &root)
        }
        let content: ConfigurationNode.Content =
            lists.contains(path)
            ? .list(text.split(separator: ",").map { .init(.text($0.trimmed), override: origin) })
            : .text(text)
        root.set(path.split(separator: ".")[...], to: ConfigurationNode(content, override: origin))
    }
}

extension ConfigurationSources {
    /// Applies the environment and then the flags on top of the file. An empty variable counts as unset.
    func overlay(
        _ root: inout ConfigurationNode, _ reader: inout ConfigurationReader, for purpose: ConfigurationPurpose
    ) {
        if purpose == .serving {
            addAccount(to: &root, &reader)
            addKeys(to: &root)
        }
        for override in ConfigurationOverride.all {
            guard let text = set(override.variable) else { continue }
            ConfigurationOverride.apply(text, from: override.variable, to: override.path, in: &root)
        }
        for (path, text) in flags.sorted(by: { $0.key < $1.key }) {
            let flag = "--" + path.replacing(".", with: "-").replacing("_", with: "-")
            ConfigurationOverride.apply(text, from: flag, to: path, in: &root)
        }
    }

    private func set(_ variable: String) -> String? { environment[variable].flatMap { $0.isEmpty ? nil : $0 } }

    /// Warns of variables that are close to one that is known. Others are left alone: Kubernetes, for one, sets
    /// `KLING_GATEWAY_SERVICE_HOST` for a service of that name.
    /// - Parameter named: the variables that the file names, which are right however they are spelled.
    func misspelledVariables(except named: Set<String>) -> [ConfigurationProblem] {
        let prefix = "KLING_GATEWAY_"
        let known = ConfigurationOverride.all.map(\.variable) + [Self.config, Self.keys]
        let names = known.map { $0.dropFirst(prefix.count).lowercased() }
        return environment.keys.sorted().compactMap { variable in
            guard variable.hasPrefix(prefix), set(variable) != nil, !known.contains(variable),
                !named.contains(variable),
                let nearest = Spelling.nearest(to: String(variable.dropFirst(prefix.count)), in: names)
            else { return nil }
            let advice = "has no effect; did you mean \(prefix)\(nearest.uppercased())?"
            return ConfigurationProblem(.init(path: "", override: variable), advice)
        }
    }

    /// The variable with the path of the file.
    static let config = "KLING_GATEWAY_CONFIG"

    /// The variable with the keys of clients.
    private static let keys = "KLING_GATEWAY_API_KEYS"

    /// The name of the account that the environment defines.
    private static let account = "env"

    /// The settings of that account besides its credentials.
    private static let settings = [("url", "KLING_BASE_URL"), ("api", "KLING_API")]

    /// The variables that set something for that account although there is no such account.
    func ignoredVariables(_ upstreams: [Upstream]) -> [(key: String, variable: String)] {
        if upstreams.isEmpty || upstreams.contains(where: { $0.name == Self.account }) { return [] }
        return Self.settings.filter { set($0.1) != nil }
    }

    /// Adds the account of the `KLING_*` credentials. A variable that the file itself names belongs to the file's
    /// account, so that the same account is not added twice.
    private func addAccount(to root: inout ConfigurationNode, _ reader: inout ConfigurationReader) {
        let claimed = root["upstreams"]?.namedVariables ?? []
        let pair = ["KLING_ACCESS_KEY", "KLING_SECRET_KEY"]
        var credentials: [(key: String, variable: String)] = []
        if claimed.isDisjoint(with: pair) {
            credentials += [("access_key", pair[0]), ("secret_key", pair[1])].filter { set($0.variable) != nil }
        }
        if credentials.count == 1, let half = credentials.first {
            let missing = half.variable == pair[0] ? pair[1] : pair[0]
            let place = ConfigurationPlace(path: "", override: missing)
            return reader.report(place, "is not set, but \(half.variable) is; set both, or neither")
        }
        if !claimed.contains("KLING_API_KEY"), set("KLING_API_KEY") != nil {
            credentials.append(("api_key", "KLING_API_KEY"))
        }
        if credentials.isEmpty { return }
        credentials += Self.settings.filter { set($0.1) != nil }
        var entries = [ConfigurationNode.Entry(key: "name", value: .init(.text(Self.account)))]
        entries += credentials.map { key, variable in
            .init(key: key, value: .init(.text(environment[variable] ?? ""), override: variable))
        }
        root.append(ConfigurationNode(.map(entries), override: "the account of KLING_*"), to: "upstreams")
    }

    /// Adds the keys of `KLING_GATEWAY_API_KEYS`.
    private func addKeys(to root: inout ConfigurationNode) {
        let variable = Self.keys
        let words = set(variable)?.split(separator: ",").map(\.trimmed) ?? []
        for (index, word) in words.filter({ !$0.isEmpty }).enumerated() {
            let parts = word.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let tenant = parts.count == 2 ? parts[0] : Self.tenant(of: word)
            let key = parts.count == 2 ? parts[1] : word
            let origin = "\(variable), entry \(index + 1)"
            let entries = [
                ConfigurationNode.Entry(key: "key", value: .init(.text(key), override: origin)),
                ConfigurationNode.Entry(key: "tenant", value: .init(.text(tenant), override: origin)),
            ]
            root.append(ConfigurationNode(.map(entries), override: origin), to: "keys")
        }
    }

    /// The tenant of a key that names none: `key-` and the first 8 hex digits of its SHA-256.
    private static func tenant(of key: String) -> String {
        let hex = SHA256.hash(data: Array(key.utf8)).prefix(4).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }
        return "key-" + hex.joined()
    }
}

extension Substring {
    /// The text without leading and trailing spaces.
    fileprivate var trimmed: String {
        let start = drop { $0 == " " }
        return String(start.reversed().drop { $0 == " " }.reversed())
    }
}
