internal import KlingAPI

/// A task in the format of the newer API: an element of an answer, or the body of a callback.
struct SolutionFields: Sendable {
    /// An output of a task.
    struct Output: Sendable {
        let type, url: String
        var watermarkURL: String?
    }

    let id: String
    /// The state. Callbacks use another word for success than answers.
    var status: String
    var message = ""
    let createTime, updateTime: Int
    var externalID = ""
    var outputs: [Output] = []
    /// How the task is paid for; nil if it isn't, or not yet.
    var billing: SimulatedBilling?

    /// The task as JSON.
    var json: [UInt8] { JSONWriter.object { write(to: &$0) } }

    /// The `data` of the answer to its create.
    var created: [UInt8] {
        JSONWriter.object { data in
            data.member("task_id", id)
            writeState(to: &data, withMessage: false)
        }
    }

    /// Writes the members into an open object.
    func write(to writer: inout JSONWriter) {
        writer.member("id", id)
        writeState(to: &writer, withMessage: true)
        writer.array("outputs") { list in
            for output in outputs {
                list.object { item in
                    item.member("type", output.type)
                    item.member("url", output.url)
                    item.member("watermark_url", ifPresent: output.watermarkURL)
                }
            }
        }
        writer.array("billing") { billing?.write(to: &$0) }
    }

    private func writeState(to writer: inout JSONWriter, withMessage: Bool) {
        writer.member("status", status)
        if withMessage { writer.member("message", message) }
        writer.member("create_time", createTime)
        writer.member("update_time", updateTime)
        writer.member("external_id", externalID)
    }
}

extension SimulatedTask {
    /// The task at `now`, as the newer API shows it.
    /// - Parameters:
    ///   - success: the word for success.
    ///   - base: the prefix of picture URLs.
    func solution(
        at now: Int, success: String = TaskStatus.succeed.rawValue, base: String, billing: SimulatedBilling
    ) -> SolutionFields {
        let status = status(at: now)
        var fields = SolutionFields(
            id: id, status: status == .succeed ? success : status.rawValue, createTime: createdAt,
            updateTime: updatedAt(status), externalID: externalTaskID ?? "")
        switch status {
        case .succeed:
            let output = SolutionFields.Output(
                type: foreignType ?? "image", url: pictureURL(base),
                watermarkURL: hasWatermark ? "\(base)/results/\(id)/watermark.png" : nil)
            fields.outputs = [output]
            fields.billing = billing
        case .failed: fields.message = failure ?? ""
        default: break
        }
        return fields
    }
}
