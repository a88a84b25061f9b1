public import Base

extension TryOnRequest {
    /// Checks the body of a create in the newer shape: `contents`, `settings` and `options` (Kling, virtual-try-on
    /// page).
    ///
    /// The result is what ``parse(_:models:)`` returns for the equivalent create in the older shape that does not
    /// specify a model.
    /// - Parameter models: the allowed models.
    /// - Throws: what is wrong, with the names of the newer shape, such as `contents[1].url`.
    public static func parse(
        solutions body: Bytes, models: TryOnModels = .documented
    ) async throws(ParameterError) -> TryOnRequest {
        let create = try SolutionsCreate(body.withByteSpan { $0.array(0..<body.count) })
        do {
            return try await parse(Bytes(create.json), models: models)
        } catch {
            throw create.renamed(error)
        }
    }
}

/// A create in the newer shape, converted to the older one.
private struct SolutionsCreate {
    /// The same create in the older shape.
    let json: [UInt8]
    /// The paths in the newer shape, by the member names of the older one.
    private var places: [String: String] = [:]

    init(_ bytes: [UInt8]) throws(ParameterError) {
        let body = try BodyMembers(body: bytes)
        var members: [(name: StaticString, json: [UInt8])] = []
        for (field, content) in try Self.contents(of: body) {
            guard let url = content.json("url") else { continue }
            members.append((field == .human ? "human_image" : "cloth_image", url))
            places[field.rawValue] = content.place(of: "url")
        }
        if let options = try body.members("options") { _ = try options.members("watermark") }
        for (group, names) in Self.groups {
            guard let group = try body.members(group) else { continue }
            for name in names {
                guard let json = group.json(name) else { continue }
                members.append((name, json))
                places["\(name)"] = group.place(of: name)
            }
        }
        json = JSONWriter.object(capacity: bytes.count) { create in
            for member in members { create.member(member.name, json: member.json) }
        }
    }

    private static let groups: [(StaticString, [StaticString])] = [
        ("settings", ["keep_face", "keep_pose", "keep_background"]),
        ("options", ["external_task_id", "callback_url", "watermark"]),
    ]

    /// Translates an error about the older shape to the names of the newer one.
    func renamed(_ error: ParameterError) -> ParameterError {
        guard let parameter = error.parameter,
            let name = places.keys.first(where: { parameter == $0 || parameter.hasPrefix($0 + ".") }),
            let place = places[name], error.message.hasPrefix(name)
        else { return error }
        return ParameterError(
            code: error.code, parameter: place + parameter.dropFirst(name.count),
            message: place + error.message.dropFirst(name.count))
    }

    /// The two pictures: exactly one of each type, with a URL.
    private static func contents(of body: BodyMembers) throws(ParameterError) -> [PictureField: BodyMembers] {
        guard let contents = try body.elements("contents") else {
            throw .value("contents", "is missing. Send one object of each type: \(types).")
        }
        var found: [PictureField: BodyMembers] = [:]
        for content in contents {
            let field = try field(of: content)
            guard found.updateValue(content, forKey: field) == nil else {
                throw .value(
                    content.place(of: "type"), "is a second \(field.contentType). Send one of each type: \(types).")
            }
            try checkURL(of: content)
        }
        for field in PictureField.allCases where found[field] == nil {
            throw .value("contents", "has no \(field.contentType). Send one of each type: \(types).")
        }
        return found
    }

    private static func field(of content: BodyMembers) throws(ParameterError) -> PictureField {
        let place = content.place(of: "type")
        guard let type = try content.string("type") else { throw .value(place, "is missing. Send one of: \(types).") }
        guard let field = PictureField.allCases.first(where: { $0.contentType == type }) else {
            throw .value(place, "is '\(Sanitized.text(type))'. Send one of: \(types).")
        }
        return field
    }

    /// Refuses base64: Kling does not document that it accepts any in this shape.
    private static func checkURL(of content: BodyMembers) throws(ParameterError) {
        let place = content.place(of: "url")
        guard let url = try content.string("url") else { throw .value(place, "is missing. Send the picture's URL.") }
        guard PictureLink.cleaned(url) != nil else {
            throw .value(place, "does not begin with http:// or https://. Send the picture's URL, not its base64.")
        }
    }

    private static let types = PictureField.allCases.map(\.contentType).joined(separator: ", ")
}
