/// Where the members that the gateway knows are among all members of a create; nil if absent.
struct MemberIndexes: Sendable {
    private(set) var modelName: Int?
    private(set) var model: Int?
    private(set) var human: Int?
    private(set) var cloth: Int?
    private(set) var callback: Int?
    private(set) var externalTaskID: Int?
    private(set) var keepFace: Int?
    private(set) var keepPose: Int?
    private(set) var keepBackground: Int?
    private(set) var watermark: Int?
    /// Whether there are other members.
    private(set) var hasOthers = false

    init(_ members: [JSONMember], _ bytes: Span<UInt8>) {
        for (index, member) in members.enumerated() { note(index, member, bytes) }
    }

    /// Most names differ in length, so that only one or two are compared byte by byte.
    private mutating func note(_ index: Int, _ member: JSONMember, _ bytes: Span<UInt8>) {
        if member.isNamed("model_name", bytes) {
            modelName = index
        } else if member.isNamed("human_image", bytes) {
            human = index
        } else if member.isNamed("cloth_image", bytes) {
            cloth = index
        } else if member.isNamed("callback_url", bytes) {
            callback = index
        } else if member.isNamed("external_task_id", bytes) {
            externalTaskID = index
        } else if member.isNamed("model", bytes) {
            model = index
        } else if member.isNamed("keep_face", bytes) {
            keepFace = index
        } else if member.isNamed("keep_pose", bytes) {
            keepPose = index
        } else if member.isNamed("keep_background", bytes) {
            keepBackground = index
        } else if member.isNamed("watermark", bytes) {
            watermark = index
        } else {
            hasOthers = true
        }
    }

    func index(of field: PictureField) -> Int? { field == .human ? human : cloth }

    /// Whether the gateway replaces this member or leaves it out.
    func isReplaced(_ index: Int) -> Bool {
        index == modelName || index == model || index == callback || index == externalTaskID
    }

    /// Whether this member is one of the settings, which Kling's older API does not have.
    func isSetting(_ index: Int) -> Bool {
        index == keepFace || index == keepPose || index == keepBackground || index == watermark
    }
}

/// Reads the short members of a create.
struct MemberReader {
    let members: [JSONMember]
    let indexes: MemberIndexes

    typealias Values = (model: String, externalTaskID: String?, callbackURL: HTTPURL?, settings: TryOnSettings)

    init(_ members: [JSONMember], _ bytes: Span<UInt8>) {
        self.members = members
        indexes = MemberIndexes(members, bytes)
    }

    /// All of them.
    func values(_ bytes: Span<UInt8>, _ models: TryOnModels) throws(ParameterError) -> Values {
        (try model(bytes, models), try externalTaskID(bytes), try callback(bytes), try settings(bytes))
    }

    /// The model, from `model_name` or `model`.
    func model(_ bytes: Span<UInt8>, _ models: TryOnModels) throws(ParameterError) -> String {
        if let model = try model(at: indexes.modelName, "model_name", bytes, models) { return model }
        return try model(at: indexes.model, "model", bytes, models) ?? TryOnModels.defaultModel
    }

    private func model(
        at index: Int?, _ parameter: String, _ bytes: Span<UInt8>, _ models: TryOnModels
    ) throws(ParameterError) -> String? {
        guard let content = try string(at: index, parameter) else { return nil }
        if let model = models.model(named: bytes.extracting(content)) { return model }
        let text = JSONString.text(bytes, content)
        if let model = models.model(named: text) { return model }
        throw .value(
            parameter,
            "'\(Sanitized.text(text))' is not a virtual try-on model. Send one of: "
                + models.names.joined(separator: ", ") + "." + models.suggestion(for: text))
    }

    /// The client's own id.
    func externalTaskID(_ bytes: Span<UInt8>) throws(ParameterError) -> String? {
        let parameter = "external_task_id"
        guard let content = try string(at: indexes.externalTaskID, parameter) else { return nil }
        let text = JSONString.text(bytes, content)
        let limit = TryOn.maxExternalTaskIDBytes
        guard text.utf8.count <= limit else {
            throw .value(parameter, "has \(text.utf8.count) bytes, but must have 1 to \(limit). Send a shorter one.")
        }
        guard !text.unicodeScalars.contains(where: { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }) else {
            throw .value(parameter, "contains a control character. Remove it.")
        }
        return text
    }

    /// The client's callback URL.
    func callback(_ bytes: Span<UInt8>) throws(ParameterError) -> HTTPURL? {
        let parameter = "callback_url"
        guard let content = try string(at: indexes.callback, parameter) else {
            // Ignoring it would leave the client waiting for callbacks after it has paid.
            guard indexes.hasOthers,
                let near = MisnamedMembers.found(MisnamedMembers.callback, among: members, bytes)
            else { return nil }
            throw .value(parameter, "is missing. Rename \(near) to \(parameter), or remove it.")
        }
        // An escape takes up to six bytes for one byte of the URL.
        guard content.count <= TryOn.maxCallbackURLBytes * 6 else {
            throw .value(parameter, HTTPURL.Problem.length.description)
        }
        do {
            return try HTTPURL(JSONString.text(bytes, content))
        } catch {
            throw .value(parameter, error.description)
        }
    }

    /// The content of an optional string member; null and an empty string count as absent.
    private func string(at index: Int?, _ parameter: String) throws(ParameterError) -> Range<Int>? {
        guard let index, !members[index].isNullOrEmpty else { return nil }
        guard members[index].kind == .string else {
            throw .wrongType(parameter, expected: "a string", found: members[index].kind)
        }
        guard !members[index].hasLoneSurrogate else {
            throw .value(parameter, ParameterError.loneSurrogate)
        }
        return members[index].content
    }
}
