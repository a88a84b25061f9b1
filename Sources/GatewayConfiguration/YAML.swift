internal import Yams

/// Parses YAML into texts, lists and maps. The only place that uses Yams.
///
/// Yams would read `off` as a Bool and an unquoted `0123456` as a number: here, scalars stay as they were written.
enum YAML {
    /// A private-use character that marks a key repeated in its map, so that Yams doesn't stop at the first repetition.
    private static let repetition: Unicode.Scalar = "\u{E000}"
    private static let mostRepetitions = 100

    /// Parses a file's text. A file that is empty or has only comments is `.nothing`.
    /// - Throws: a problem with its line. It never quotes the file, which may contain secrets.
    static func parse(_ text: String) throws(ConfigurationProblem) -> ConfigurationNode {
        var text = text
        for _ in 0..<mostRepetitions {
            do throws(YamlError) {
                return try root(of: text).map(node) ?? ConfigurationNode(.nothing)
            } catch .duplicatedKeysInMapping(_, let context) {
                guard let marked = mark(context.mark, in: text) else { throw ParseFailure.repeatedKey(context.mark) }
                text = marked
            } catch {
                throw ParseFailure.syntax(error)
            }
        }
        throw ConfigurationProblem(.top, "too many repeated keys")
    }

    private static func root(of text: String) throws(YamlError) -> Node? {
        do {
            return try compose(yaml: text, .basic, .default, .utf8)
        } catch let error as YamlError {
            throw error
        } catch {
            throw .reader(problem: "unreadable", offset: nil, value: 0, yaml: "")
        }
    }

    /// Inserts ``repetition`` before the key at `mark`, after its opening quote if it has one.
    private static func mark(_ mark: Mark, in text: String) -> String? {
        var scalars = Array(text.unicodeScalars)
        let ends = scalars.indices.filter { scalars[$0] == "\n" }
        guard mark.line >= 1, mark.column >= 1, mark.line - 1 <= ends.count else { return nil }
        var index = (mark.line == 1 ? 0 : ends[mark.line - 2] + 1) + mark.column - 1
        guard index < scalars.count else { return nil }
        if scalars[index] == "\"" || scalars[index] == "'" { index += 1 }
        scalars.insert(repetition, at: index)
        return String(String.UnicodeScalarView(scalars))
    }

    private static func node(_ node: Node) -> ConfigurationNode {
        let line = node.mark?.line
        switch node {
        case .scalar(let scalar):
            let isPlain = scalar.style == .plain || scalar.style == .any
            let isNothing = isPlain && ["", "~", "null"].contains(scalar.string)
            return ConfigurationNode(isNothing ? .nothing : .text(scalar.string), line: line)
        case .sequence(let sequence):
            return ConfigurationNode(.list(sequence.map(self.node)), line: line)
        case .mapping(let mapping):
            return ConfigurationNode(.map(mapping.map(entry)), line: line)
        case .alias:
            return ConfigurationNode(.nothing, line: line)
        }
    }

    private static func entry(_ key: Node, _ value: Node) -> ConfigurationNode.Entry {
        var name = key.scalar?.string ?? ""
        let isRepeated = name.unicodeScalars.first == repetition
        if isRepeated { name.unicodeScalars.removeFirst() }
        var value = node(value)
        value.line = key.mark?.line ?? value.line
        return ConfigurationNode.Entry(key: name, value: value, isRepeated: isRepeated)
    }
}

/// The problems of a file that is not valid YAML.
private enum ParseFailure {
    static func syntax(_ error: YamlError) -> ConfigurationProblem {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            at(mark, "not YAML: \(problem)")
        case .reader(let problem, _, _, _): ConfigurationProblem(.top, "not YAML: \(problem)")
        default: ConfigurationProblem(.top, "not YAML")
        }
    }

    static func repeatedKey(_ mark: Mark) -> ConfigurationProblem { at(mark, "a key occurs twice in the same map") }

    private static func at(_ mark: Mark, _ message: String) -> ConfigurationProblem {
        ConfigurationProblem(ConfigurationPlace(path: "", line: mark.line), "\(message), at column \(mark.column)")
    }
}
