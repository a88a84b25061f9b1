internal import Base

/// A call whose query and body have been checked against its route.
struct AdminRequest: Sendable {
    /// The segments of the path that are in braces in the route's, by name.
    let identifiers: [String: String]
    let query: AdminValues
    /// The members of the body; none if the handler reads the body itself.
    let body: AdminValues
    /// The body as it was sent.
    let bytes: Bytes
    let actor: AdminActor
    /// When the call was made, in milliseconds since 1970.
    let time: Int64

    init(_ match: AdminMatch, _ call: AdminCall, at time: Int64) throws(AdminError) {
        identifiers = match.identifiers
        query = try AdminValues(query: call.query, match.route.query)
        (bytes, actor) = (call.body, call.actor)
        self.time = time
        // Copied within the closure that lends the bytes.
        func json() -> [UInt8] { unsafe call.body.withUnsafeBytes { unsafe Array($0) } }
        switch match.route.body {
        case .none: body = try AdminValues(body: json(), [])
        case .members(let members): body = try AdminValues(body: json(), members)
        case .oneOf(let members): body = try AdminValues(body: json(), oneOf: members)
        case .own: body = AdminValues()
        }
    }

    /// A segment of the path: `{id}`.
    var id: String { identifiers["id"] ?? "" }

    /// The tenant that the path names: `{name}`.
    var tenant: String {
        get throws(AdminError) {
            let name = identifiers["name"] ?? ""
            if KeyIssuer.isTenantName(name) { return name }
            throw AdminError(400, KeyIssueError.badTenantName.description, parameter: "name")
        }
    }
}
