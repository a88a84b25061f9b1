// A task of the older shape, written in the new one for clients that speak it (Kling, virtual-try-on page).

extension TaskObject {
    /// The task as the answers to a query and to a list have it, and the body of a callback.
    ///
    /// Members that nobody knows stay as they are. A task that was charged in the older shape gets the `billing` that says
    /// the same; one that was not charged yet gets an empty one.
    public var solutionsJSON: [UInt8] {
        var task = solutionsRecast(id: "id")
        task.put("message", text: statusMessage ?? "")
        task.put("outputs", outputs)
        task.put("billing", object["billing"]?.kind == .array ? object.value("billing") : madeUpBilling)
        return task.json
    }

    /// The task as the answer to a create has it: without a result, and its id as `task_id`.
    public var solutionsCreatedJSON: [UInt8] {
        var task = solutionsRecast(id: "task_id")
        task.drop("message", "outputs", "billing", "id")
        return task.json
    }

    /// What the two have in common, without any member of the older shape that has another name in the new one.
    private func solutionsRecast(id name: StaticString) -> JSONRecast {
        var task = JSONRecast(object)
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
                var output = JSONRecast(image)
                output.put("type", text: "image")
                output.drop("index")
                outputs.json(output.json)
            }
        }
        return writer.bytes
    }

    private var madeUpBilling: [UInt8] {
        var writer = JSONWriter()
        writer.array { entries in
            for entry in billing { entries.object { entry.write(to: &$0) } }
        }
        return writer.bytes
    }

    /// What is left of an object without a member; nil if that is nothing.
    private static func rest(of object: JSONObject, without name: StaticString) -> [UInt8]? {
        guard object.members.contains(where: { !$0.isNamed(name, object.bytes.span) }) else { return nil }
        var rest = JSONRecast(object)
        rest.drop(name)
        return rest.json
    }
}
