internal import Base
internal import HTTPServer
internal import KlingAPI
internal import TaskStore

/// Makes a task for the operator, and shows its picture.
enum TryOnCalls {
    /// Two pictures of 10 MB in base64.
    private static let bodyLimit = 32 << 20
    /// The tenant of operators who name none.
    private static let tenant = "console"

    static let routes = [
        AdminRoute(
            method: .post, path: "/admin/v1/try-on", name: "tryOn", summary: "Make a task, as a tenant.",
            details: """
                The other members are those of a create in the shape of Kling's older API. The tenant's limits and \
                budgets hold, and the task is paid for like any other.
                """,
            body: .own(
                [
                    "type": "object", "required": ["human_image", "cloth_image"],
                    "properties": [
                        "tenant": [
                            "type": "string", "default": "console", "description": "The tenant whose task it is.",
                        ],
                        "model_name": ["type": "string", "description": "The model."],
                        "human_image": ["type": "string", "description": "The person: a URL, or the file in base64."],
                        "cloth_image": ["type": "string", "description": "The garment: a URL, or the file in base64."],
                    ],
                ], limit: bodyLimit),
            answer: AdminRoute.Answer(status: 201, description: "The task.", schema: TaskCalls.detailedSchema),
            refusals: [429: "No account has room, or a limit of the tenant is reached."], handle: tryOn),
        AdminRoute(
            method: .get, path: "/admin/v1/tasks/{id}/picture", name: "getPicture",
            summary: "Fetch the picture that a task has made.",
            answer: AdminRoute.Answer(
                description: "The picture.", mediaTypes: ["image/jpeg", "image/png", "image/webp"]),
            refusals: [404: "There is no such task, or it has no picture.", 502: "The picture could not be fetched."],
            handle: picture),
    ]

    private static func tryOn(_ request: AdminRequest, _ parts: AdminParts) async throws -> AdminReply {
        guard let live = parts.live else { throw AdminError.needsGateway }
        let tenant = try takeTenant(from: request.bytes) ?? tenant
        guard KeyIssuer.isTenantName(tenant) else { throw KeyIssueError.badTenantName }
        let id = try await live.tryOn(request.bytes, as: tenant)
        guard let task = try await parts.store.task(id) else { throw AdminError(404, "no such task: \(id)") }
        var reply = try await TaskCalls.detailed(task, parts)
        reply.status = 201
        return reply
    }

    /// Reads the member `tenant`, and overwrites it with spaces: the rest goes to Kling.
    private static func takeTenant(from body: Bytes) throws(AdminError) -> String? {
        let found: (tenant: String?, range: Range<Int>)? = try body.withByteSpan { (bytes) throws(AdminError) in
            let scan: JSONScanner
            do throws(JSONError) {
                scan = try JSONScanner(bytes, range: 0..<bytes.count)
            } catch {
                throw AdminError(400, "The body is not JSON: \(error).")
            }
            guard scan.kind == .object else { throw AdminError(400, "The body must be a JSON object.") }
            let members = scan.members
            guard let index = members.firstIndex(where: { JSONString.text(bytes, $0.name) == "tenant" }) else {
                return nil
            }
            let member = members[index]
            guard member.kind == .string, !member.hasLoneSurrogate else {
                throw .value("tenant", "must be a text")
            }
            // With the comma after it, or else the one before it.
            let start =
                index + 1 < members.count || index == 0
                ? member.name.lowerBound - 1 : members[index - 1].value.upperBound
            let end = index + 1 < members.count ? members[index + 1].name.lowerBound - 1 : member.value.upperBound
            return (JSONString.text(bytes, member.content), start..<end)
        }
        guard let found else { return nil }
        // The body was read for this call alone, and `range` is within it.
        unsafe body.withUnsafeMutableBytes { bytes in
            for index in found.range { unsafe bytes[index] = UInt8(ascii: " ") }
        }
        return found.tenant
    }

    private static func picture(_ request: AdminRequest, _ parts: AdminParts) async throws -> AdminReply {
        guard let live = parts.live else { throw AdminError.needsGateway }
        let task = try await parts.store.onlyTask(named: request.id)
        guard let url = task.answer.flatMap({ TaskObject($0) })?.images.first?.url else {
            throw AdminError(404, "the task has no picture: it is \(task.state)", parameter: "id")
        }
        let bytes: Bytes
        do throws(GatewayError) {
            bytes = try await live.picture(url, of: task.tenant)
        } catch {
            throw AdminError(502, error.message)
        }
        let file = ByteSlice(bytes, 0..<bytes.count)
        let type = (try? ImageHeader.check(file: file))?.format.mediaType ?? "application/octet-stream"
        return AdminReply(
            status: 200, mediaType: type, body: .slices([file]),
            headers: [(name: "X-Content-Type-Options", value: "nosniff")])
    }
}
