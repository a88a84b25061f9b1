/// A task to write as Kling does: the `data` of an answer, an element of a list, or the body of a callback.
public struct TaskFields: Sendable, Hashable {
    public var taskID: String
    public var status: TaskStatus
    /// Why the task failed.
    public var statusMessage: String?
    /// In milliseconds since 1970.
    public var createdAt: Int
    /// In milliseconds since 1970.
    public var updatedAt: Int
    /// The id given in the create.
    public var externalTaskID: String?
    /// The resulting pictures; nil leaves the result out.
    public var images: [TaskImage]?
    /// A decimal number.
    public var finalUnitDeduction: String?

    public init(
        taskID: String, status: TaskStatus, statusMessage: String? = nil, createdAt: Int, updatedAt: Int,
        externalTaskID: String? = nil, images: [TaskImage]? = nil, finalUnitDeduction: String? = nil
    ) {
        self.taskID = taskID
        self.status = status
        self.statusMessage = statusMessage
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.externalTaskID = externalTaskID
        self.images = images
        self.finalUnitDeduction = finalUnitDeduction
    }

    /// The task as JSON.
    public var json: [UInt8] { JSONWriter.object { write(to: &$0) } }

    /// Writes the members into an open object.
    public func write(to writer: inout JSONWriter) {
        writer.member("task_id", taskID)
        writer.member("task_status", status.rawValue)
        writer.member("task_status_msg", ifPresent: statusMessage)
        writer.object("task_info") { $0.member("external_task_id", ifPresent: externalTaskID) }
        if let images {
            writer.object("task_result") { result in
                result.array("images") { list in
                    for image in images {
                        list.object { item in
                            item.member("index", image.index)
                            item.member("url", image.url)
                            item.member("watermark_url", ifPresent: image.watermarkURL)
                        }
                    }
                }
            }
        }
        writer.member("created_at", createdAt)
        writer.member("updated_at", updatedAt)
        writer.member("final_unit_deduction", ifPresent: finalUnitDeduction)
    }
}
