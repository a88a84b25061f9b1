// Converts a task from the newer shape to the older one, in which the gateway keeps all tasks (Kling, virtual-try-on
// page).

extension TaskObject {
    /// Reads a task in the newer shape, from the answer to a create, query or list, or from the body of a callback.
    ///
    /// Members are renamed to their names in the older shape. Members that already have such a name, and unknown
    /// members, stay as they are. `billing` also stays, next to the deductions derived from it.
    /// - Parameter range: the range of the object in `bytes`; nil if it is all of them.
    /// - Returns: nil if it is not an object, has duplicate members where it matters, or has two different ids.
    public convenience init?(solutions bytes: [UInt8], range: Range<Int>? = nil) {
        guard let object = JSONObject(bytes, range: range), Self.hasOneID(object) else { return nil }
        var task = JSONRewriter(object)
        task.move("id", to: "task_id")
        task.put("task_status", text: Self.status(of: object))
        task.put("task_status_msg", text: Self.filled(object.string("message") ?? object.string("task_status_msg")))
        task.move("create_time", to: "created_at")
        task.move("update_time", to: "updated_at")
        task.drop("status", "message", "external_id", "outputs")
        if let id = Self.filled(object.identifier("external_id")) {
            task.put("task_info", JSONWriter.object { $0.member("external_task_id", id) })
        }
        let images = Self.images(of: object)
        if !images.isEmpty {
            task.put(
                "task_result",
                JSONWriter.object { result in result.array("images") { list in images.forEach { list.json($0) } } })
        }
        Self.putDeductions(of: object, &task)
        self.init(task.json)
    }

    /// Reads the body of a callback in either shape.
    /// - Returns: nil if it is not an object, or contradicts itself.
    public convenience init?(callback body: [UInt8]) {
        guard let object = JSONObject(body) else { return nil }
        if object["task_status"] == nil, object["status"] != nil || object["id"] != nil {
            self.init(solutions: body)
        } else {
            self.init(body)
        }
    }

    /// Whether `id` and `task_id` agree. The answer to a create has `task_id`; everything else has `id`.
    private static func hasOneID(_ object: JSONObject) -> Bool {
        guard let id = object.identifier("id"), let other = object.identifier("task_id") else { return true }
        return id == other
    }

    private static func status(of object: JSONObject) -> String? {
        (object.string("status") ?? object.string("task_status")).map { TaskStatus(rawValue: $0).rawValue }
    }

    /// The outputs that are pictures, converted to the older shape.
    private static func images(of object: JSONObject) -> [[UInt8]] {
        let pictures = (object.objects("outputs") ?? []).filter { output in
            (output["type"] == nil || output.string("type") == "image") && filled(output.string("url")) != nil
        }
        return pictures.enumerated().map { index, output in
            var image = JSONRewriter(output)
            image.put("index", Array(String(index).utf8))
            image.drop("type")
            if filled(output.string("watermark_url")) == nil { image.drop("watermark_url") }
            return image.json
        }
    }

    private static func putDeductions(of object: JSONObject, _ task: inout JSONRewriter) {
        let billing = (object.objects("billing") ?? []).compactMap { Billing($0) }
        if let units = billing.first(where: { $0.kind == .unit }) {
            task.put("final_unit_deduction", text: units.amount)
        }
        if let cash = billing.first(where: { $0.kind == .cash }) {
            task.put(
                "final_balance_deduction",
                JSONWriter.object { balance in
                    balance.member("quota", cash.amount)
                    balance.member("list_price", ifPresent: cash.listPrice)
                })
        }
    }

    private static func filled(_ text: String?) -> String? { text.flatMap { $0.isEmpty ? nil : $0 } }
}
