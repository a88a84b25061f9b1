internal import KlingAPI

/// A task of another solution than virtual try-on: it stands in the answers of `/solutions` beside an account's tasks.
public struct ForeignTask: Sendable, Hashable {
    /// The platform's id; nil to draw one.
    public var id: String?
    /// Its creator's id.
    public var externalTaskID: String?
    /// What it puts out.
    public var outputType = "video"
    /// How long it takes from now on, in milliseconds.
    public var duration = 0

    /// A video that is there at once.
    public init(id: String? = nil, externalTaskID: String? = nil) {
        self.id = id
        self.externalTaskID = externalTaskID
    }

    /// Reads `{"id": "...", "external_task_id": "...", "type": "video", "seconds": 2.5}`, all optional.
    init(json object: JSONObject) throws(SimulatedRefusal) {
        self.init(id: object.identifier("id"), externalTaskID: object.identifier("external_task_id"))
        outputType = object.string("type") ?? outputType
        guard let member = object["seconds"] else { return }
        let text = String(decoding: object.bytes[member.value], as: UTF8.self)
        guard let duration = SimulatedFault.milliseconds(text[...]) else {
            throw .parameter("seconds must be a number from 0 to 86400")
        }
        self.duration = duration
    }
}
