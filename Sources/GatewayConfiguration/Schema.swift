internal import Base

/// The keys of a map. The decoder reads them, suggestions for unknown keys come from them, and the reference file must
/// contain them.
struct Schema<Root>: Sendable {
    let keys: [Key<Root>]

    init(_ keys: [Key<Root>]) { self.keys = keys }

    /// Every key path below this map, without indices.
    var paths: [String] { keys.flatMap { key in [key.name] + key.children.map { "\(key.name).\($0)" } } }

    /// Reads `node` into `root`, and reports its problems.
    func read(
        _ node: ConfigurationNode, at place: ConfigurationPlace, into root: inout Root,
        _ reader: inout ConfigurationReader
    ) {
        let entries: [ConfigurationNode.Entry]
        switch node.content {
        case .map(let present): entries = present
        case .nothing: entries = []
        case .text, .list:
            reader.report(place, "found \(node.kind); expected a map of \(keys.map(\.name).joined(separator: ", "))")
            return
        }
        for entry in entries {
            if entry.isRepeated {
                reader.report(place.key(shown(entry.key), entry.value), "occurs twice in the same map")
            }
            guard let key = keys.first(where: { $0.name == entry.key }) else {
                reader.report(place.key(shown(entry.key), entry.value), unknown(entry.key))
                continue
            }
            if case .nothing = entry.value.content { continue }
            key.read(entry.value, place.key(key.name, entry.value), &root, &reader)
        }
    }

    private func unknown(_ name: String) -> String {
        if let nearest = Spelling.nearest(to: name, in: keys.map(\.name)) {
            return "unknown key; did you mean \(nearest)?"
        }
        return "unknown key; known here: \(keys.map(\.name).joined(separator: ", "))"
    }

    /// A key as messages show it. Wrong indentation can turn a secret into a key, so only what looks like a key is
    /// shown.
    private func shown(_ name: String) -> String {
        let looksLikeKey = name.utf8.allSatisfy {
            ASCII.isLowercase($0) || ASCII.isUppercase($0) || "_- ".utf8.contains($0)
        }
        return looksLikeKey && (1...40).contains(name.utf8.count) ? name : "(a key that is not shown)"
    }
}

/// A key of a map: its name, and how to read its value.
struct Key<Root>: Sendable {
    let name: String
    /// The key paths below its value.
    let children: [String]
    let read: @Sendable (ConfigurationNode, ConfigurationPlace, inout Root, inout ConfigurationReader) -> Void

    /// A key with one value.
    static func value<Value>(
        _ name: String, _ path: any WritableKeyPath<Root, Value> & Sendable, _ format: ValueFormat<Value>
    ) -> Key {
        Key(name: name, children: []) { node, place, root, reader in
            if let value = reader.value(node, place, format) { root[keyPath: path] = value }
        }
    }

    /// A key with one optional value.
    static func optional<Value>(
        _ name: String, _ path: any WritableKeyPath<Root, Value?> & Sendable, _ format: ValueFormat<Value>
    ) -> Key {
        Key(name: name, children: []) { node, place, root, reader in
            if let value = reader.value(node, place, format) { root[keyPath: path] = value }
        }
    }

    /// A key with a list of values; a single value is a list of one.
    static func list<Value>(
        _ name: String, _ path: any WritableKeyPath<Root, [Value]> & Sendable, _ format: ValueFormat<Value>
    ) -> Key {
        Key(name: name, children: []) { node, place, root, reader in
            guard case .list(let elements) = node.content else {
                if let value = reader.value(node, place, format) { root[keyPath: path] = [value] }
                return
            }
            root[keyPath: path] = elements.enumerated().compactMap { index, element in
                reader.value(element, place.element(index, element), format)
            }
        }
    }

    /// A key with a secret: its text, `{env: NAME}` or `{file: PATH}`.
    static func secret(
        _ name: String, _ format: ValueFormat<Secret> = .credential,
        _ store: @escaping @Sendable (inout Root, Secret) -> Void
    ) -> Key {
        Key(name: name, children: []) { node, place, root, reader in
            if let secret = reader.secret(node, place, format) { store(&root, secret) }
        }
    }

    /// A key with a list of secrets; a single secret is a list of one.
    static func secrets(
        _ name: String, _ format: ValueFormat<Secret> = .credential,
        _ store: @escaping @Sendable (inout Root, [Secret]) -> Void
    ) -> Key {
        Key(name: name, children: []) { node, place, root, reader in
            guard case .list(let elements) = node.content else {
                if let secret = reader.secret(node, place, format) { store(&root, [secret]) }
                return
            }
            if elements.isEmpty { reader.report(place, "the list is empty; leave \(name) out, or name one") }
            store(
                &root,
                elements.enumerated().compactMap { index, element in
                    reader.secret(element, place.element(index, element), format)
                })
        }
    }

    /// A key with a map.
    static func section<Section>(
        _ name: String, _ path: any WritableKeyPath<Root, Section> & Sendable, _ schema: Schema<Section>
    ) -> Key {
        Key(name: name, children: schema.paths) { node, place, root, reader in
            schema.read(node, at: place, into: &root[keyPath: path], &reader)
        }
    }

    /// A key with a map that may be missing, or `off` if `canBeOff`.
    static func section<Section: Sendable>(
        _ name: String, _ path: any WritableKeyPath<Root, Section?> & Sendable, _ schema: Schema<Section>,
        from initial: Section, canBeOff: Bool = false
    ) -> Key {
        Key(name: name, children: schema.paths) { node, place, root, reader in
            if canBeOff, case .text("off") = node.content {
                root[keyPath: path] = nil
                return
            }
            var section = initial
            schema.read(node, at: place, into: &section, &reader)
            root[keyPath: path] = section
        }
    }

    /// A key with a list of maps, as ``sections(_:_:_:from:check:)``. A text is a map with the first key alone, and a
    /// single element is a list of one.
    static func entries<Section: Sendable>(
        _ name: String, _ path: any WritableKeyPath<Root, [Section]> & Sendable, _ schema: Schema<Section>,
        from initial: Section,
        check: @escaping @Sendable (Section, ConfigurationNode, ConfigurationPlace, inout ConfigurationReader) -> Void
    ) -> Key {
        let sections = Self.sections(name, path, schema, from: initial, check: check)
        return Key(name: name, children: sections.children) { node, place, root, reader in
            var list = node
            let elements = if case .list(let elements) = node.content { elements } else { [node] }
            list.content = .list(elements.map { $0.asMap(with: schema.keys[0].name) })
            sections.read(list, place, &root, &reader)
        }
    }

    /// A key with a list of maps, each checked after it is read.
    static func sections<Section: Sendable>(
        _ name: String, _ path: any WritableKeyPath<Root, [Section]> & Sendable, _ schema: Schema<Section>,
        from initial: Section,
        check: @escaping @Sendable (Section, ConfigurationNode, ConfigurationPlace, inout ConfigurationReader) -> Void
    ) -> Key {
        Key(name: name, children: schema.paths) { node, place, root, reader in
            guard case .list(let elements) = node.content else {
                return reader.report(place, "found \(node.kind); expected a list of maps")
            }
            root[keyPath: path] = elements.enumerated().map { index, element in
                var section = initial
                let place = place.element(index, element)
                schema.read(element, at: place, into: &section, &reader)
                check(section, element, place, &reader)
                return section
            }
        }
    }
}

/// Finds the name that was probably meant.
enum Spelling {
    /// The candidate with the smallest edit distance, if that is small.
    static func nearest(to word: String, in candidates: [String]) -> String? {
        guard word.utf8.count <= 64 else { return nil }
        let word = word.lowercased().replacing("-", with: "_")
        let ranked = candidates.map { (edits: distance(word, $0), candidate: $0) }.min { $0.edits < $1.edits }
        guard let ranked, ranked.edits <= max(1, min(word.utf8.count, ranked.candidate.utf8.count) / 2 - 1) else {
            return nil
        }
        return ranked.candidate
    }

    /// The Levenshtein distance.
    static func distance(_ left: String, _ right: String) -> Int {
        let right = Array(right.utf8)
        var row = Array(0...right.count)
        for (i, byte) in left.utf8.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in right.enumerated() {
                let edits = min(row[j] + 1, row[j + 1] + 1, diagonal + (byte == other ? 0 : 1))
                diagonal = row[j + 1]
                row[j + 1] = edits
            }
        }
        return row[right.count]
    }
}
