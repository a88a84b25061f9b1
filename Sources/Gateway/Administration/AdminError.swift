internal import Base
internal import KlingAPI
internal import TaskStore

/// Why a call is refused. The message is for the operator.
public struct AdminError: Error, Equatable, CustomStringConvertible {
    /// The HTTP status.
    public var status: Int
    public var message: String
    /// The member or parameter that is wrong.
    public var parameter: String?
    /// The value of `Allow`, for 405.
    var allow: String?

    init(_ status: Int, _ message: String, parameter: String? = nil) {
        self.status = status
        self.message = message
        self.parameter = parameter
    }

    public var description: String { message }

    /// A member or parameter has a value that it must not have.
    /// - Parameter problem: follows the name, such as `must be a whole number`.
    static func value(_ parameter: String, _ problem: String) -> AdminError {
        AdminError(400, "\(parameter) \(problem)", parameter: parameter)
    }

    static let notFound = AdminError(404, "There is nothing here.")

    static func wrongMethod(_ allow: String) -> AdminError {
        var error = AdminError(405, "Only \(allow.replacing(", ", with: " and ")) work here.")
        error.allow = allow
        return error
    }

    /// A part of the call needs what only a running gateway has.
    static let needsGateway = AdminError(503, "this needs a running gateway")

    /// The refusal as a reply.
    public var reply: AdminReply {
        var reply = AdminReply.json(
            JSONWriter.object { writer in
                writer.member("error", message)
                writer.member("code", status)
                writer.member("param", ifPresent: parameter)
            },
            status: status)
        if let allow { reply.headers.append((name: "Allow", value: allow)) }
        return reply
    }
}

extension AdminError {
    /// The refusal for an error of one of the gateway's parts.
    init(_ error: any Error) {
        self =
            switch error {
            case let error as AdminError: error
            case let error as StoreError: AdminError(error)
            case let error as KeyIssueError: AdminError(error)
            case let error as TaskSettlement.Refusal: AdminError(409, error.description)
            case let error as GatewayError:
                AdminError(
                    error.refusal?.status ?? error.cause.row.status, error.message, parameter: error.parameter)
            default: AdminError(500, "\(error)")
            }
    }

    private init(_ error: StoreError) {
        let status =
            switch error.code {
            case .notFound: 404
            case .budgetSpent, .accountFull, .keyFull, .tenantFull: 429
            case .stale, .alreadyExists, .externalTaskIDInUse, .idempotencyKeyInUse, .tooManyJobs, .sentElsewhere: 409
            case .unavailable, .outcomeUnknown, .busy, .full, .readOnly, .alreadyServed, .replaced: 503
            case .corrupt, .newerSchema: 500
            }
        self.init(status, error.detail)
    }

    private init(_ error: KeyIssueError) {
        self =
            switch error {
            case .badTenantName: AdminError(400, error.description, parameter: "tenant")
            case .noKey: AdminError(404, error.description)
            case .revoked: AdminError(409, error.description)
            }
    }
}
