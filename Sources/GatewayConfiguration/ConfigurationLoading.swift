internal import Base

extension Configuration {
    /// Reads, checks and completes a configuration.
    /// - Parameter refusingWeakSecrets: whether keys and tokens that could be guessed are problems.
    /// - Throws: all its problems at once. If the file cannot be read or is not YAML, that is the only one: others may
    ///   follow from it.
    public static func load(
        from sources: ConfigurationSources, for purpose: ConfigurationPurpose = .serving,
        refusingWeakSecrets: Bool = false
    ) throws(ConfigurationError) -> Configuration {
        var reader = ConfigurationReader(sources)
        var root = reader.readFile()
        try reader.check()
        let variablesOfFile = root.namedVariables
        purpose.narrow(&root)
        sources.overlay(&root, &reader, for: purpose)
        var configuration = Configuration()
        schema.read(root, at: .top, into: &configuration, &reader)
        configuration.complete(root, &reader)
        configuration.completeTLS(root, &reader)
        configuration.validate(root, &reader)
        if purpose == .serving { configuration.validateAccess(&reader) }
        if purpose != .administration { configuration.alerts.check(root["alerts"], &reader) }
        if refusingWeakSecrets { configuration.reportWeakSecrets(root, &reader) }
        configuration.warnings += sources.misspelledVariables(except: variablesOfFile)
        try reader.check()
        return configuration
    }

    /// Fills in what depends on where the gateway runs.
    private mutating func complete(_ root: ConfigurationNode, _ reader: inout ConfigurationReader) {
        switch storage.store {
        case .sqlite(path: ""):
            guard let directory = reader.sources.stateDirectory else {
                return reader.report(.init(path: "store"), "no folder for the store was found: set store, or HOME")
            }
            storage.store = .sqlite(path: "\(directory)/gateway.db")
        case .postgres(let url, _):
            guard let directory = reader.sources.stateDirectory else {
                return reader.report(
                    .init(path: "store"), "no folder for this process was found: set STATE_DIRECTORY or HOME")
            }
            storage.store = .postgres(url: url, folder: directory)
        case .sqlite: break
        }
        if storage.spool.isEmpty { storage.spool = storage.store.spool }
        if case .madeAt = storage.masterKey {
            storage.masterKey = .madeAt(path: "\(storage.store.directory)/master.key")
        }
    }

    /// Checks what involves more than one key.
    private mutating func validate(_ root: ConfigurationNode, _ reader: inout ConfigurationReader) {
        Self.reportRepetitions(of: upstreams.map(\.name), in: "upstreams", key: "name", &reader)
        Self.reportRepetitions(of: keys.map { $0.key.reveal() }, in: "keys", key: "key", &reader)
        Self.reportRepetitions(of: (server.listen + admin.listen).map(\.description), in: "listen", key: nil, &reader)
        reportModels(root, &reader)
        if server.limits.bufferedBytes < 2 * server.limits.body {
            let least = "at least twice limits.body (\(2 * server.limits.body)), as a tenant may hold half"
            reader.report(
                .init(path: "limits.buffered_bytes"), "found \(server.limits.bufferedBytes); allowed: \(least)")
        }
        for (key, variable) in reader.sources.ignoredVariables(upstreams) {
            let advice = "has no effect here: give the accounts in the file \(key) instead"
            warnings.append(ConfigurationProblem(.init(path: "", override: variable), advice))
        }
        if server.publicURL == nil {
            let advice = "pictures sent as files cannot reach this account, which takes only URLs: set public_url"
            for (index, upstream) in upstreams.enumerated() where upstream.acceptsOnlyURLs {
                warnings.append(ConfigurationProblem(.init(path: "upstreams[\(index)]"), advice))
            }
        }
    }

    /// Checks that there is an account to send creates to, and that there are client keys.
    private mutating func validateAccess(_ reader: inout ConfigurationReader) {
        if upstreams.isEmpty,
            !reader.problems.contains(where: { $0.place.hasPrefix("KLING_") || $0.place == "upstreams" })
        {
            let set = "KLING_ACCESS_KEY and KLING_SECRET_KEY, or KLING_API_KEY"
            reader.report(.init(path: "upstreams"), "no Kling account: name one here, or set \(set)")
        }
        if keys.isEmpty {
            warnings.append(
                ConfigurationProblem(.init(path: "keys"), "there are none here: only keys in the store are accepted"))
        }
    }

    /// Reports values that occur twice. Those under a `key` are named only by place, because they may be secrets.
    private static func reportRepetitions(
        of values: [String], in list: String, key: String?, _ reader: inout ConfigurationReader
    ) {
        var first: [String: Int] = [:]
        for (index, value) in values.enumerated() where !value.isEmpty && !value.hasSuffix(":0") {
            guard let earlier = first[value] else {
                first[value] = index
                continue
            }
            let suffix = key.map { ".\($0)" } ?? ""
            let message = key == nil ? "\(value) is used twice" : "the same as \(list)[\(earlier)]\(suffix)"
            reader.report(.init(path: key == nil ? list : "\(list)[\(index)]\(suffix)"), message)
        }
    }
}

extension ConfigurationReader {
    /// Throws what has been reported so far, if anything.
    fileprivate func check() throws(ConfigurationError) {
        if problems.isEmpty { return }
        throw ConfigurationError(source: sources.file?.path ?? "the environment", problems: problems)
    }

    /// Reads the configuration file; the result is empty if there is none.
    fileprivate mutating func readFile() -> ConfigurationNode {
        guard let (path, place) = sources.file else { return ConfigurationNode(.nothing) }
        switch sources.files.read(path) {
        case .success(let text):
            do throws(ConfigurationProblem) {
                return try YAML.parse(text)
            } catch {
                problems.append(error)
            }
        case .failure(let failure):
            report(place, "\(path) cannot be read: \(failure)")
        }
        return ConfigurationNode(.nothing)
    }
}
