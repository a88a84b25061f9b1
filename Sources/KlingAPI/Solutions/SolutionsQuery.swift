/// The tasks that a query in the newer shape asks for: `GET /solutions?task_ids=...` (Kling, virtual-try-on page).
public struct SolutionsQuery: Sendable, Hashable {
    /// The kind of id that a query uses.
    public enum Key: String, Sendable, CaseIterable {
        /// Kling's own ids.
        case taskIDs = "task_ids"
        /// The ids given in the creates.
        case externalTaskIDs = "external_task_ids"
    }

    public let key: Key
    /// The ids, 1 to 20.
    public let ids: [String]

    /// Asks for these tasks. An id must not contain a comma, because it would be read as two.
    public init(_ key: Key, _ ids: [String]) {
        self.key = key
        self.ids = ids
    }

    /// Reads a raw query string. Parameters that Kling does not document are ignored; one without a value counts as
    /// absent.
    /// - Throws: what is wrong, with the parameter's name.
    public init(query: String?) throws(ParameterError) {
        var found: [Key: String] = [:]
        for pair in (query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let key = Key(rawValue: String(parts[0])), parts.count == 2, !parts[1].isEmpty else { continue }
            guard found.updateValue(try Self.decoded(parts[1], key), forKey: key) == nil else {
                throw .value(key.rawValue, "appears in the query more than once. Separate ids by commas.")
            }
        }
        guard found.count < 2 else {
            throw .value(Key.externalTaskIDs.rawValue, "cannot be sent with \(Key.taskIDs.rawValue). Send only one.")
        }
        guard let (key, text) = found.first else {
            throw .value(Key.taskIDs.rawValue, "is missing. Send it or \(Key.externalTaskIDs.rawValue).")
        }
        let ids = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard Solutions.idsPerQuery.contains(ids.count) else {
            let most = Solutions.idsPerQuery.upperBound
            throw .value(
                key.rawValue, "has \(ids.count) ids; at most \(most) are allowed. Query the others separately.")
        }
        guard !ids.contains("") else {
            throw .value(key.rawValue, "has an empty id. Put one comma between two ids, and none at the ends.")
        }
        self.init(key, ids)
    }

    /// The query string, without the leading `?`.
    public var text: String { key.rawValue + "=" + ids.map(PercentEncoding.encoded).joined(separator: ",") }

    /// Decodes the value of a parameter: `%` and two hex digits are a byte, and `+` is a space, as client libraries
    /// write it.
    private static func decoded(_ value: Substring, _ key: Key) throws(ParameterError) -> String {
        var bytes: [UInt8] = []
        var rest = Substring(value).utf8
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(JSONText.hexValue),
                let low = rest.popFirst().flatMap(JSONText.hexValue)
            else {
                throw .value(
                    key.rawValue, "has a % that is not followed by two hexadecimal digits. Write a literal % as %25.")
            }
            bytes.append(UInt8(high << 4 | low))
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .value(key.rawValue, "is not UTF-8. Percent-encode the UTF-8 of its ids.")
        }
        return text
    }
}
