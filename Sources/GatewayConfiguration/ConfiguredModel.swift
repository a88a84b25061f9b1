public import KlingAPI

/// A model to accept in addition to Kling's own, or another name for a model.
public struct ConfiguredModel: Sendable {
    /// The name that clients send.
    public internal(set) var name = ""
    /// The model that a create with this name uses; `nil` if the name is a model's own.
    public internal(set) var standsFor: String?

    /// Reports an entry without a name.
    @Sendable static func check(
        _: ConfiguredModel, node: ConfigurationNode, place: ConfigurationPlace, reader: inout ConfigurationReader
    ) {
        if node["name"] == nil { reader.report(place, "name is missing") }
    }
}

extension Configuration {
    /// The models that a create may name.
    public var tryOnModels: TryOnModels {
        TryOnModels(adding: ownModels, standIns: standIns.map { ($0.entry.name, $0.model) })
    }

    /// The names in `models` that are models themselves.
    private var ownModels: [String] { models.filter { $0.standsFor == nil }.map(\.name) }

    /// The entries of `models` that stand for other models, each with its index in the list.
    private var standIns: [(index: Int, entry: ConfiguredModel, model: String)] {
        models.enumerated().compactMap { index, entry in entry.standsFor.map { (index, entry, $0) } }
    }

    /// Reports names that stand for no known model, and names in keys and accounts that no create can have.
    func reportModels(_ root: ConfigurationNode, _ reader: inout ConfigurationReader) {
        let known = TryOnModels(adding: ownModels).names
        let list = known.joined(separator: ", ")
        var first: [String: Int] = [:]
        for (index, entry, model) in standIns where !entry.name.isEmpty {
            let place = root.place(of: "models", index)
            if let earlier = first[entry.name] {
                reader.report(place, "\(entry.name) is already defined in models[\(earlier)]: remove one")
                continue
            }
            first[entry.name] = index
            if entry.name == model {
                reader.report(place, "\(model) stands for itself: set stands_for to one of \(list)")
            } else if known.contains(entry.name) {
                reader.report(place, "\(entry.name) is a model's own name: use it without stands_for")
            } else if !known.contains(model) {
                let isStandIn = standIns.contains { $0.entry.name == model }
                let found = isStandIn ? "stands for another model itself" : "is not known"
                reader.report(place, "stands_for: \(model) \(found): add it to models, or use one of \(list)")
            }
        }
        for (index, key) in keys.enumerated() {
            let place = root.place(of: "keys", index, "models")
            for model in key.models where !known.contains(model) {
                let fix = realName(of: model) ?? "is not known: add it to models, or use one of \(list)"
                reader.report(place, "\(model) \(fix)")
            }
        }
        for (index, upstream) in upstreams.enumerated() {
            let place = root.place(of: "upstreams", index, "models")
            for model in upstream.models where !known.contains(model) {
                if let fix = realName(of: model) { reader.report(place, "\(model) \(fix)") }
            }
        }
    }

    /// What is wrong with a stand-in's name and what to name instead, as the end of a message; `nil` for other names.
    private func realName(of name: String) -> String? {
        standIns.first { $0.entry.name == name }.map { "stands for another model: name \($0.model) here" }
    }
}

extension ConfigurationNode {
    /// The place of an element of the list under `key`, or of the key `below` in that element.
    fileprivate func place(of key: String, _ index: Int, _ below: String? = nil) -> ConfigurationPlace {
        var element = self[key] ?? ConfigurationNode(.nothing)
        if case .list(let elements) = element.content, elements.indices.contains(index) { element = elements[index] }
        let place = ConfigurationPlace(path: key).element(index, element)
        guard let below else { return place }
        return place.key(below, element[below] ?? element)
    }
}
