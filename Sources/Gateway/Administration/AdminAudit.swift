internal import KlingAPI
internal import TaskStore

extension AdminRequest {
    /// The entry of the audit log for a change that this request makes.
    /// - Parameters:
    ///   - action: what is done, such as `keys.create`.
    ///   - target: the name or id of what is changed.
    ///   - before: what it was before, as JSON without secrets; nil if it did not exist.
    ///   - after: what it is now.
    func entry(_ action: String, _ target: String, before: [UInt8]? = nil, after: [UInt8]? = nil) -> AuditEntry {
        AuditEntry(
            who: actor.who, from: actor.from, action: action, target: target,
            before: before.map { String(decoding: $0, as: UTF8.self) },
            after: after.map { String(decoding: $0, as: UTF8.self) }, at: time)
    }
}

extension AuditRecord {
    /// Writes the members of the entry.
    func write(to writer: inout JSONWriter) {
        writer.member("entry", Int(number))
        writer.member("at", Int(entry.at))
        writer.member("who", entry.who)
        writer.member("from", entry.from)
        writer.member("action", entry.action)
        writer.member("target", entry.target)
        if let before = entry.before { writer.member("before", json: before.utf8) }
        if let after = entry.after { writer.member("after", json: after.utf8) }
    }

    static let schema = AdminSchemas.object(
        [
            ("entry", AdminSchemas.integer("Its number; later entries have higher ones.")),
            ("at", AdminSchemas.time("When it was made")),
            ("who", AdminSchemas.text("`token`, `console`, `machine`, or `command:` and the Unix user.")),
            ("from", AdminSchemas.text("The address of the peer, or `local`.")),
            ("action", AdminSchemas.text("What was done, such as `keys.create`.")),
            ("target", AdminSchemas.text("The name or id of what was changed.")),
        ],
        optional: [
            ("before", ["description": "What it was before."]), ("after", ["description": "What it was then."]),
        ])
}
