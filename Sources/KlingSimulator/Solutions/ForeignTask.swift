internal import KlingAPI

/// A task of a solution other than virtual try-on, which `/solutions` returns along with an account's try-on tasks.
public struct ForeignTask: Sendable, Hashable {
    /// The platform's id; nil to generate one.
    public var id: String?
    /// The id that its creator gave it.
    public var externalTaskID: String?
    /// The type of its output.
    public var outputType = "video"
    /// How long it takes after it is added, in milliseconds.
    public var duration = 0

    /// A video that is finished at once.
    public init(id: String? = nil, externalTaskID: String? = nil) {
        self.id = id
        self.externalTaskID = externalTaskID
    }

    /// Parses `{"id": "...", "external_task_id": "...", "type": "video", "seconds": 2.5}`, all optional.
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
