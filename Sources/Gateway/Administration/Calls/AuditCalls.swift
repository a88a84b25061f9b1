internal import HTTPServer
internal import KlingAPI
internal import TaskStore

/// Shows the changes that operators have made.
enum AuditCalls {
    static let routes = [
        AdminRoute(
            method: .get, path: "/admin/v1/audit", name: "listAudit",
            summary: "List the changes that operators have made, newest first.",
            query: [
                AdminMember("before", .integer(1...Int(Int32.max)), "Only entries before this `entry`."),
                AdminMember("target", .text(1...256), "Only entries about this key, tenant, task or delivery."),
                AdminMember("limit", .integer(1...1000), "How many at most; 50 by default."),
            ],
            answer: AdminRoute.Answer(description: "The entries.", schema: AdminSchemas.list(AuditRecord.schema)),
            handle: list)
    ]

    private static func list(_ request: AdminRequest, _ parts: AdminParts) async throws -> AdminReply {
        let query = request.query
        let entries = try await parts.store.audit.entries(
            before: query.integer("before").map(Int64.init), target: query.text("target"),
            limit: query.integer("limit") ?? 50)
        var writer = JSONWriter(capacity: entries.count * 256)
        writer.array { list in
            for entry in entries { list.object { entry.write(to: &$0) } }
        }
        return .json(writer.bytes)
    }
}
