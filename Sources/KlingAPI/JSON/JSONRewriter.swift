/// Rewrites an object: some members get other names or values, and all others stay as they are.
struct JSONRewriter {
    private let object: JSONObject
    private var members: [(name: StaticString, json: [UInt8])] = []
    private var replaced: [StaticString] = []

    init(_ object: JSONObject) { self.object = object }

    /// Leaves members out.
    mutating func drop(_ names: StaticString...) { replaced += names }

    /// Sets the member `name` to `json`, replacing an existing one; nil leaves the member out.
    mutating func put(_ name: StaticString, _ json: [UInt8]?) {
        replaced.append(name)
        if let json { members.append((name, json)) }
    }

    /// Sets the member `name` to a string, replacing an existing one; nil leaves the member out.
    mutating func put(_ name: StaticString, text: String?) { put(name, text.map { JSONString.json($0) }) }

    /// Renames the member `source` to `name`, replacing an existing `name`. Without a `source`, `name` stays as it is.
    mutating func move(_ source: StaticString, to name: StaticString) {
        replaced.append(source)
        if let json = object.value(source) { put(name, json) }
    }

    /// The new object: first the members that were set, then the rest.
    var json: [UInt8] {
        JSONWriter.object(capacity: object.range.count + 256) { writer in
            for member in members { writer.member(member.name, json: member.json) }
            object.write(to: &writer) { member, bytes in
                replaced.contains { member.isNamed($0, bytes) } ? .drop : .keep
            }
        }
    }
}
