internal import KlingAPI

/// Keys as commands print them.
extension JSONObject {
    /// Prints a key and its secrets. Only the webhook secret, which is the tenant's, can be shown again.
    func showKey(_ json: Bool) {
        if json {
            let key = JSONWriter.object { writer in
                writer.member("tenant", cell("tenant"))
                writer.member("id", cell("id"))
                writer.member("key", cell("key"))
                writer.member("access_key", cell("access_key"))
                writer.member("secret_key", cell("secret_key"))
                writer.member("webhook_secret", cell("webhook_secret"))
            }
            return print(String(decoding: key, as: UTF8.self))
        }
        print(
            """
            tenant          \(cell("tenant"))
            id              \(cell("id"))
            bearer key      \(cell("key"))
            access key      \(cell("access_key"))
            secret key      \(cell("secret_key"))
            webhook secret  \(cell("webhook_secret"))

            The bearer key and the secret key are shown only once: save them now. The webhook secret belongs to the tenant:
            `kling-gateway webhooks secret` shows it again.
            """)
    }

    /// Prints a key and what it may do.
    func showRules(_ json: Bool) {
        if json { return print(line) }
        let lines =
            [
                ("id", cell("id")), ("tenant", cell("tenant")), ("name", cell("name")), ("status", cell("status")),
                ("bearer key", cell("prefix").isEmpty ? "" : cell("prefix") + "…"), ("access key", cell("access_key")),
                ("created", time("created_at")),
                ("last used", self["last_used_at"] == nil ? "never" : time("last_used_at")),
            ] + ruleLines
        for (name, value) in lines { print(name.padded(to: 20) + value) }
        if self["previous_until"] != nil { print("old secrets until".padded(to: 20) + time("previous_until")) }
    }
}

extension JSONWriter {
    /// An object with the members that `body` writes, unless it throws.
    static func checkedObject(_ body: (inout JSONWriter) throws -> Void) throws -> [UInt8] {
        var failure: (any Error)?
        let json = JSONWriter.object { writer in
            do { try body(&writer) } catch { failure = error }
        }
        if let failure { throw failure }
        return json
    }
}
