/// A picture produced by a task.
public struct TaskImage: Sendable, Hashable {
    public let index: Int
    public let url: String
    /// The same picture with a watermark, if the create asked for one.
    public let watermarkURL: String?

    public init(index: Int, url: String, watermarkURL: String? = nil) {
        self.index = index
        self.url = url
        self.watermarkURL = watermarkURL
    }
}

/// A task as Kling writes it: the `data` of an answer, an element of a list, or the whole body of a callback.
public final class TaskObject: Sendable {
    let object: JSONObject
    let info: JSONObject?
    /// The task's state.
    public let status: TaskStatus?

    /// Reads the object at `range`; nil if it is not an object, or has duplicate members where it matters.
    public convenience init?(_ bytes: [UInt8], range: Range<Int>? = nil) {
        guard let object = JSONObject(bytes, range: range) else { return nil }
        self.init(object)
    }

    /// Reads an object; nil if it has duplicate members where it matters.
    init?(_ object: JSONObject) {
        let info = object["task_info"].flatMap { $0.kind == .object ? $0.value : nil }
        self.info = info.flatMap { JSONObject(object.bytes, range: $0) }
        self.object = object
        status = object.string("task_status").map(TaskStatus.init(rawValue:))
        if info != nil, self.info == nil { return nil }
    }

    /// Kling's id of the task, which some upstreams write as a number. An id that no path could contain is ignored: an
    /// empty one, one of more than 256 bytes, or one with control characters.
    public var taskID: String? {
        object.identifier("task_id").flatMap { id in
            var id = id
            let isPrintable = id.withUTF8 { unsafe $0.allSatisfy { $0 >= 0x20 && $0 != 0x7F } }
            return isPrintable && (1...Self.longestID).contains(id.utf8.count) ? id : nil
        }
    }

    private static let longestID = 256

    /// Why the task failed.
    public var statusMessage: String? { object.string("task_status_msg") }

    /// When the task was created, in milliseconds since 1970.
    public var createdAt: Int? { object.integer("created_at") }

    /// When the task last changed, in milliseconds since 1970.
    public var updatedAt: Int? { object.integer("updated_at") }

    /// The id given in the create.
    public var externalTaskID: String? {
        info?.identifier("external_task_id") ?? object.identifier("external_task_id")
    }

    /// What the task cost, as Kling writes it.
    public var finalUnitDeduction: String? { object.identifier("final_unit_deduction") }

    /// The resulting pictures.
    public var images: [TaskImage] {
        guard let result = object.object("task_result"), let elements = result.array("images") else { return [] }
        return elements.enumerated().compactMap { place, element in
            guard element.kind == .object, let image = JSONObject(result.bytes, range: element.value),
                let url = image.string("url"), !url.isEmpty
            else { return nil }
            return TaskImage(
                index: image.integer("index") ?? place, url: url, watermarkURL: image.string("watermark_url"))
        }
    }

    /// The JSON of the object, unchanged.
    public var json: ArraySlice<UInt8> { object.json }

    /// The object with the client's ids in place of Kling's and the gateway's, and every other member unchanged.
    /// - Parameters:
    ///   - taskID: the public id.
    ///   - externalTaskID: the client's own id, or nil to leave it out.
    ///   - status: a status to show in place of Kling's. Without one, `succeeded` still becomes `succeed`.
    public func rewritten(taskID: String, externalTaskID: String?, status: TaskStatus? = nil) -> [UInt8] {
        let isOtherSuccess = self.status == .succeed && object.string("task_status") == TaskStatus.otherSuccess
        let status = status ?? (isOtherSuccess ? .succeed : nil)
        return JSONWriter.object(capacity: object.range.count + 64) { writer in
            if object["task_id"] == nil { writer.member("task_id", taskID) }
            object.write(to: &writer) { member, bytes in
                if member.isNamed("task_id", bytes) { return .text(taskID) }
                if let status, member.isNamed("task_status", bytes) { return .text(status.rawValue) }
                if member.isNamed("task_info", bytes) { return infoEdit(member, externalTaskID) }
                return Self.externalIDEdit(member, bytes, externalTaskID)
            }
            if let status, object["task_status"] == nil { writer.member("task_status", status.rawValue) }
            if let externalTaskID, object["task_info"] == nil {
                writer.object("task_info") { $0.member("external_task_id", externalTaskID) }
            }
        }
    }

    /// `task_info` with the client's id. A value that is neither an object nor null is not kept: it might be an id.
    private func infoEdit(_ member: JSONMember, _ externalTaskID: String?) -> JSONObject.Edit {
        let isEmpty = member.kind == .object && member.value.count == 2
        if isEmpty, externalTaskID == nil { return .keep }
        guard info != nil || externalTaskID != nil else { return member.kind == .null ? .keep : .drop }
        return .json(
            JSONWriter.object { writer in
                info?.write(to: &writer) { Self.externalIDEdit($0, $1, externalTaskID) }
                if let externalTaskID, info?["external_task_id"] == nil {
                    writer.member("external_task_id", externalTaskID)
                }
            })
    }

    private static func externalIDEdit(
        _ member: JSONMember, _ bytes: Span<UInt8>, _ externalTaskID: String?
    ) -> JSONObject.Edit {
        guard member.isNamed("external_task_id", bytes) || member.isNamed("external_id", bytes) else { return .keep }
        return externalTaskID.map { .text($0) } ?? .drop
    }
}
