/// An object that is written anew: some members under other names or with other values, every other one as it came.
struct JSONRecast {
    private let object: JSONObject
    private var members: [(name: StaticString, json: [UInt8])] = []
    private var replaced: [StaticString] = []

    init(_ object: JSONObject) { self.object = object }

    /// Leaves members out.
    mutating func drop(_ names: StaticString...) { replaced += names }

    /// Puts `json` under `name`, in place of what stands there; nil leaves the member out.
    mutating func put(_ name: StaticString, _ json: [UInt8]?) {
        replaced.append(name)
        if let json { members.append((name, json)) }
    }

    /// Puts a string under `name`, in place of what stands there; nil leaves the member out.
    mutating func put(_ name: StaticString, text: String?) { put(name, text.map { JSONString.json($0) }) }

    /// Puts under `name` what stands under `source`; what stands under `name` stays if there is nothing.
    mutating func move(_ source: StaticString, to name: StaticString) {
        replaced.append(source)
        if let json = object.value(source) { put(name, json) }
    }

    /// The new object: first what was put, then the rest.
    var json: [UInt8] {
        JSONWriter.object(capacity: object.range.count + 256) { writer in
            for member in members { writer.member(member.name, json: member.json) }
            object.write(to: &writer) { member, bytes in
                replaced.contains { member.isNamed($0, bytes) } ? .drop : .keep
            }
        }
    }
}
