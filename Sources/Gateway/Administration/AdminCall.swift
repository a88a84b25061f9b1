public import Base
public import HTTPServer

/// A call of the administration API, from the operators' listener or from a command.
public struct AdminCall: Sendable {
    /// GET, POST or PATCH; HEAD counts as GET.
    public var method: HTTPMethod
    /// The percent-encoded path, such as `/admin/v1/tasks/815`.
    public var path: String
    /// The percent-encoded query, without `?`.
    public var query: String?
    /// The JSON of the body; empty if there is none.
    public var body: Bytes
    /// Who calls, for the audit log.
    public var actor: AdminActor

    public init(
        _ method: HTTPMethod, _ path: String, query: String? = nil, body: Bytes = Bytes(capacity: 0),
        by actor: AdminActor
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.body = body
        self.actor = actor
    }
}

/// Who makes a call. It never contains a secret.
public struct AdminActor: Sendable, Equatable {
    /// `token`, `console`, `machine` (a listener without a token), or `command:` and the name of the Unix user.
    public var who: String
    /// The peer's address, or `local` for a command that works on the store itself.
    public var from: String

    /// The header field in which a command that calls a running gateway names its user.
    public static let field: StaticString = "X-Kling-Gateway-User"

    public init(who: String, from: String) {
        self.who = who
        self.from = from
    }
}

/// The answer to a call.
public struct AdminReply: Sendable {
    /// The HTTP status.
    public var status: Int
    public var mediaType: String
    public var body: HTTPResponse.Body
    /// More header fields, such as `Allow`.
    public var headers: [(name: String, value: String)] = []

    /// Makes a reply that is JSON.
    static func json(_ json: [UInt8], status: Int = 200) -> AdminReply {
        AdminReply(status: status, mediaType: "application/json", body: .bytes(json))
    }
}
