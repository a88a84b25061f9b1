internal import Base
internal import KlingAPI

/// A create that Kling would accept: checked as strictly as Kling checks it, without repairs.
struct CreateRequest: Sendable, Hashable {
    var externalTaskID: String?
    var callbackURL: String?
    /// The URLs of the person's and the garment's pictures, if the client sent URLs.
    var personURL, garmentURL: String?
    /// Both URLs in the order in which the request to the newer API has them; empty for the older API.
    var contentURLs: [String] = []
    var settings = SolutionSettings()
    var hasWatermark = false
    var instructions = SimulationInstructions()

    /// Checks the body of a create.
    init(_ body: [UInt8], models: TryOnModels = .documented) throws(SimulatedRefusal) {
        guard let object = JSONObject(body) else {
            throw SimulatedRefusal(.invalidRequest, "Failed to resolve the request body")
        }
        let model = try Self.text("model_name", object) ?? TryOnModels.defaultModel
        guard models.names.contains(model) else { throw .parameter("model is not supported") }
        for field in ["human_image", "cloth_image"] as [StaticString] { try Self.checkPicture(field, object) }
        (personURL, garmentURL) = (Self.url("human_image", object), Self.url("cloth_image", object))
        externalTaskID = try Self.text("external_task_id", object)
        callbackURL = try Self.text("callback_url", object)
        if let callbackURL, !Self.isURL(callbackURL.utf8) {
            throw .parameter("callback_url is invalid")
        }
        if let instructions = object.object("simulate") ?? personURL.flatMap(Self.instructions) {
            self.instructions = try SimulationInstructions(instructions)
        }
    }

    /// A create without pictures, for callers that use ``SimulatedKling`` directly.
    init(
        externalTaskID: String? = nil, callbackURL: String? = nil,
        instructions: SimulationInstructions = SimulationInstructions()
    ) {
        self.externalTaskID = externalTaskID
        self.callbackURL = callbackURL
        self.instructions = instructions
    }

    /// The instructions in the query of the person's URL, for clients that cannot send extra members: the value of
    /// `simulate` is the `simulate` object in URL-safe base64.
    static func instructions(in url: String) -> JSONObject? {
        guard let name = url.firstRange(of: "?simulate=") else { return nil }
        return Base64.decode(url[name.upperBound...].utf8, .urlSafe).flatMap { JSONObject($0) }
    }

    /// An optional string; an empty string and null count as missing.
    private static func text(_ name: StaticString, _ object: JSONObject) throws(SimulatedRefusal) -> String? {
        guard let member = object[name], !member.isNullOrEmpty else { return nil }
        guard let text = object.string(name) else {
            throw SimulatedRefusal(.invalidRequest, "Failed to resolve the request body: \(name) must be a string")
        }
        return text
    }

    private static func url(_ name: StaticString, _ object: JSONObject) -> String? {
        guard let member = object[name], isURL(object.bytes[member.content]) else { return nil }
        return object.string(name)
    }

    static func isURL(_ text: some Sequence<UInt8>) -> Bool {
        ["http://", "https://"].contains { (scheme: String) in
            text.starts(with: scheme.utf8) { $0 == $1 || ($1 > 0x60 && $0 | 0x20 == $1) }
        }
    }

    private static func checkPicture(_ name: StaticString, _ object: JSONObject) throws(SimulatedRefusal) {
        guard let member = object[name], !member.isNullOrEmpty else { throw .parameter("\(name) is required") }
        guard member.kind == .string else {
            throw SimulatedRefusal(.invalidRequest, "Failed to resolve the request body: \(name) must be a string")
        }
        let content = object.bytes[member.content]
        if isURL(content) { return }
        // Base64 needs no escapes, but some encoders escape "/" and "+".
        let letters = member.valueHasEscapes ? ArraySlice(JSONString.bytes(object.bytes.span, member.content)) : content
        do {
            try StrictPicture.check(letters)
        } catch {
            throw .parameter("\(name): \(error.message)")
        }
    }
}
