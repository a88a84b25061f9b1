/// Something in a configuration that must be fixed (or, as a warning, should be checked).
///
/// It never contains a secret: the value is quoted only for keys that can't hold one.
public struct ConfigurationProblem: Error, Sendable, Hashable, CustomStringConvertible {
    /// Where: a key path (`upstreams[0].url`), a variable's name or a flag.
    public let place: String
    /// The line in the file, if the problem is in the file.
    public let line: Int?
    /// What was found, what is allowed, and what to do.
    public let message: String

    init(_ place: ConfigurationPlace, _ message: String) {
        self.place = place.description
        self.line = place.line
        self.message = message
    }

    /// The problem as one line: `upstreams[0].url (line 7): found "htp://…"; …`.
    public var description: String {
        let line = line.map { " (line \($0))" } ?? ""
        return "\(place)\(line): \(message)"
    }
}

/// Why a configuration could not be loaded: every problem, in the order in which they were found.
public struct ConfigurationError: Error, Sendable, CustomStringConvertible {
    /// What was read, for the first line of a report: a path, or `the environment`.
    public let source: String
    /// The problems; never empty.
    public let problems: [ConfigurationProblem]

    /// The whole report: a line for each problem.
    public var description: String {
        let count = problems.count == 1 ? "1 problem" : "\(problems.count) problems"
        return (["\(count) in \(source):"] + problems.map { "  \($0)" }).joined(separator: "\n")
    }
}

/// Where a value came from: a key path in a file, or the variable or flag that overrides it.
struct ConfigurationPlace: Sendable, Hashable, CustomStringConvertible {
    /// The keys and indices that lead to the value; empty at the top of a file.
    var path: String
    var line: Int?
    /// The variable or flag, if the value doesn't come from the file.
    var override: String?

    static let top = ConfigurationPlace(path: "", line: nil, override: nil)

    init(path: String, line: Int? = nil, override: String? = nil) {
        self.path = path
        self.line = line
        self.override = override
    }

    /// The place of `node` under the key `name`.
    func key(_ name: String, _ node: ConfigurationNode) -> ConfigurationPlace {
        ConfigurationPlace(path: path.isEmpty ? name : "\(path).\(name)", line: node.line, override: node.override)
    }

    /// The place of an element of a list.
    func element(_ index: Int, _ node: ConfigurationNode) -> ConfigurationPlace {
        ConfigurationPlace(path: "\(path)[\(index)]", line: node.line ?? line, override: node.override ?? override)
    }

    var description: String { override ?? (path.isEmpty ? "the file" : path) }
}
