/// A piece of a configuration before its key gives it a type: all scalars are text.
struct ConfigurationNode: Sendable {
    enum Content: Sendable {
        /// Nothing after the colon, `~` or `null`: the key's default.
        case nothing
        case text(String)
        case list([ConfigurationNode])
        case map([Entry])
    }

    /// A key with its value. A map may contain a key more than once.
    struct Entry: Sendable {
        var key: String
        var value: ConfigurationNode
        /// Whether the same key follows in the same map.
        var isRepeated = false
    }

    var content: Content
    /// The line in the file, if the value comes from the file.
    var line: Int?
    /// The variable or flag that the value comes from, if it doesn't come from the file.
    var override: String?

    init(_ content: Content, line: Int? = nil, override: String? = nil) {
        self.content = content
        self.line = line
        self.override = override
    }

    /// The kind of value, for messages. A text is never quoted here, because it may be a secret.
    var kind: String {
        switch content {
        case .nothing: "nothing"
        case .text: "a text"
        case .list: "a list"
        case .map: "a map"
        }
    }

    /// Returns a map with a text as the value of `key`; returns anything but a text unchanged.
    func asMap(with key: String) -> ConfigurationNode {
        guard case .text = content else { return self }
        return ConfigurationNode(.map([Entry(key: key, value: self)]), line: line, override: override)
    }

    /// Sets the value at `path`, creating maps on the way. A value on the way that isn't a map stays as it is: the
    /// decoder reports it.
    mutating func set(_ path: ArraySlice<Substring>, to node: ConfigurationNode) {
        guard let key = path.first else {
            self = node
            return
        }
        var entries: [Entry]
        switch content {
        case .map(let present): entries = present
        case .nothing: entries = []
        case .text, .list: return
        }
        if let index = entries.firstIndex(where: { $0.key == key }) {
            entries[index].value.set(path.dropFirst(), to: node)
        } else {
            var value = ConfigurationNode(.nothing)
            value.set(path.dropFirst(), to: node)
            entries.append(Entry(key: String(key), value: value))
        }
        content = .map(entries)
    }

    /// Removes the value at `path`, if it is there.
    mutating func remove(_ path: ArraySlice<Substring>) {
        guard let key = path.first, case .map(var entries) = content else { return }
        if path.count == 1 {
            entries.removeAll { $0.key == key }
        } else {
            for index in entries.indices where entries[index].key == key {
                entries[index].value.remove(path.dropFirst())
            }
        }
        content = .map(entries)
    }

    /// Adds `element` to the list under `key`.
    mutating func append(_ element: ConfigurationNode, to key: String) {
        var elements: [ConfigurationNode] = []
        var list = self[key] ?? ConfigurationNode(.nothing)
        switch list.content {
        case .list(let present): elements = present
        case .nothing: break
        case .text, .map: return
        }
        list.content = .list(elements + [element])
        set([Substring(key)], to: list)
    }

    /// The value of a key, if this is a map that has it.
    subscript(key: String) -> ConfigurationNode? {
        guard case .map(let entries) = content else { return nil }
        return entries.first { $0.key == key }?.value
    }

    /// The names of all `{env: NAME}` below.
    var namedVariables: Set<String> {
        switch content {
        case .nothing, .text: []
        case .list(let elements): elements.reduce(into: []) { $0.formUnion($1.namedVariables) }
        case .map(let entries):
            entries.reduce(into: []) { names, entry in
                if entry.key == "env", case .text(let name) = entry.value.content { names.insert(name) }
                names.formUnion(entry.value.namedVariables)
            }
        }
    }
}
