// Converts a task from the older shape to the newer one, for clients that use it (Kling, virtual-try-on page).

extension TaskObject {
    /// The task as it appears in the answers to a query and a list, and as the body of a callback.
    ///
    /// Unknown members stay as they are. The deductions of the older shape become an equivalent `billing`; a task that
    /// is not charged yet gets an empty one.
    public var solutionsJSON: [UInt8] {
        var task = solutionsRecast(id: "id")
        task.put("message", text: statusMessage ?? "")
        task.put("outputs", outputs)
        task.put("billing", object["billing"]?.kind == .array ? object.value("billing") : derivedBilling)
        return task.json
    }

    /// The task as it appears in the answer to a create: without a result, and with its id as `task_id`.
    public var solutionsCreatedJSON: [UInt8] {
        var task = solutionsRecast(id: "task_id")
        task.drop("message", "outputs", "billing", "id")
        return task.json
    }

    /// The part that both have in common, without members of the older shape that have another name in the newer one.
    private func solutionsRecast(id name: StaticString) -> JSONRewriter {
        var task = JSONRewriter(object)
        task.put(name, object.value("task_id"))
        task.put("status", text: status?.rawValue)
        task.move("created_at", to: "create_time")
        task.move("updated_at", to: "update_time")
        task.put("external_id", text: externalTaskID)
        task.put("task_info", info.flatMap { Self.rest(of: $0, without: "external_task_id") })
        task.put("task_result", object.object("task_result").flatMap { Self.rest(of: $0, without: "images") })
        task.drop("task_id", "task_status", "task_status_msg", "external_task_id")
        task.drop("final_unit_deduction", "final_balance_deduction")
        return task
    }

    private var outputs: [UInt8] {
        var writer = JSONWriter()
        writer.array { outputs in
            for image in object.object("task_result")?.objects("images") ?? [] where image.string("url") != nil {
                var output = JSONRewriter(image)
                output.put("type", text: "image")
                output.drop("index")
                outputs.json(output.json)
            }
        }
        return writer.bytes
    }

    private var derivedBilling: [UInt8] {
        var writer = JSONWriter()
        writer.array { entries in
            for entry in billing { entries.object { entry.write(to: &$0) } }
        }
        return writer.bytes
    }

    /// The object without the member `name`; nil if no other member is left.
    private static func rest(of object: JSONObject, without name: StaticString) -> [UInt8]? {
        guard object.members.contains(where: { !$0.isNamed(name, object.bytes.span) }) else { return nil }
        var rest = JSONRewriter(object)
        rest.drop(name)
        return rest.json
    }
}
