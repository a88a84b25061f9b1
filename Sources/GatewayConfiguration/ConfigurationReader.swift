internal import Base

/// Reads values and collects their problems.
struct ConfigurationReader {
    let sources: ConfigurationSources
    var problems: [ConfigurationProblem] = []

    init(_ sources: ConfigurationSources) { self.sources = sources }

    mutating func report(_ place: ConfigurationPlace, _ message: String) {
        problems.append(ConfigurationProblem(place, message))
    }

    /// The value of a scalar.
    mutating func value<Value>(
        _ node: ConfigurationNode, _ place: ConfigurationPlace, _ format: ValueFormat<Value>
    ) -> Value? {
        guard case .text(let text) = node.content else {
            report(place, "found \(node.kind); allowed: \(format.allowed)")
            return nil
        }
        if let value = format.parse(text) { return value }
        report(place, "found \(Self.quoted(text)); allowed: \(format.allowed)")
        return nil
    }

    /// The value of a secret: a text, `{env: NAME}` or `{file: PATH}`.
    mutating func secret(
        _ node: ConfigurationNode, _ place: ConfigurationPlace, _ format: ValueFormat<Secret>
    ) -> Secret? {
        guard let text = secretText(node, place) else { return nil }
        if text.isEmpty {
            report(place, "the secret is empty")
            return nil
        }
        if let secret = format.parse(text) { return secret }
        report(place, "the secret (not shown, \(text.utf8.count) bytes) is malformed; allowed: \(format.allowed)")
        return nil
    }

    private mutating func secretText(_ node: ConfigurationNode, _ place: ConfigurationPlace) -> String? {
        if case .text(let text) = node.content { return text }
        if case .map(let entries) = node.content, entries.count == 1, case .text(let name) = entries[0].value.content {
            switch entries[0].key {
            case "env": return variable(name, place)
            case "file": return file(name, place)
            default: break
            }
        }
        report(place, "found \(node.kind); allowed: a text, {env: NAME} or {file: PATH}")
        return nil
    }

    private mutating func variable(_ name: String, _ place: ConfigurationPlace) -> String? {
        if let text = sources.environment[name] { return text }
        let isName = name.utf8.allSatisfy { ASCII.isUppercase($0) || ASCII.isDigit($0) || $0 == UInt8(ascii: "_") }
        report(place, "the variable \(isName ? name : "(a name that is not shown)") is not set")
        return nil
    }

    private mutating func file(_ path: String, _ place: ConfigurationPlace) -> String? {
        switch sources.files.read(path) {
        case .success(var text):
            if text.hasSuffix("\r\n") || text.hasSuffix("\n") { text.removeLast() }
            return text
        case .failure(let failure):
            report(place, "\(path.contains("/") ? path : "the file") cannot be read: \(failure)")
            return nil
        }
    }

    /// What was found, shortened to one line. A text with `@` is not shown: it may be a URL with user info.
    private static func quoted(_ text: String) -> String {
        if text.contains("@") { return "a text with '@' (not shown)" }
        let shown = text.unicodeScalars.prefix(60).map { $0.value < 0x20 || $0.value == 0x7F ? "?" : String($0) }
        return "\"\(shown.joined())\(text.unicodeScalars.count > 60 ? "…" : "")\""
    }
}
