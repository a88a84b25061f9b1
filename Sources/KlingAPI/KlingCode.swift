/// What a Kling service code means for the sender of the request.
public enum FaultClass: Sendable, Hashable {
    /// The request succeeded.
    case ok
    /// The account cannot be used until its owner acts: on its keys, arrears, exhausted packs or IP address policy.
    case credentials
    /// Kling read the token outside its validity period: retrying once with a new token may help.
    case tokenTime
    /// The account may not use this API or model.
    case permission
    /// Kling refuses the request itself for good, whichever account sends it.
    case request
    /// Too many requests: the gateway must back off from the account for a while.
    case rateLimited
    /// The account runs as many tasks as its packs allow: a slot must become free first.
    case saturated
    /// Kling is temporarily down and did not accept the request.
    case unavailable
    /// Kling failed, and it is unknown whether it accepted the request.
    case ambiguous
    /// An undocumented code.
    case unknown
}

/// A service code from Kling's envelope. Undocumented codes are preserved.
public struct KlingCode: RawRepresentable, Hashable, Sendable {
    public let rawValue: Int

    public init(rawValue: Int) { self.rawValue = rawValue }

    public static let ok = Self(rawValue: 0)
    public static let authenticationFailed = Self(rawValue: 1000)
    public static let authorizationEmpty = Self(rawValue: 1001)
    public static let authorizationInvalid = Self(rawValue: 1002)
    public static let tokenNotYetValid = Self(rawValue: 1003)
    public static let tokenExpired = Self(rawValue: 1004)
    public static let accountAbnormal = Self(rawValue: 1100)
    public static let accountInArrears = Self(rawValue: 1101)
    public static let resourcePackExhausted = Self(rawValue: 1102)
    public static let permissionDenied = Self(rawValue: 1103)
    public static let invalidRequest = Self(rawValue: 1200)
    public static let invalidParameter = Self(rawValue: 1201)
    public static let invalidMethod = Self(rawValue: 1202)
    public static let notFound = Self(rawValue: 1203)
    public static let platformPolicy = Self(rawValue: 1300)
    public static let contentPolicy = Self(rawValue: 1301)
    public static let rateLimited = Self(rawValue: 1302)
    public static let concurrencyExceeded = Self(rawValue: 1303)
    public static let addressNotAllowed = Self(rawValue: 1304)
    public static let internalError = Self(rawValue: 5000)
    public static let unavailable = Self(rawValue: 5001)
    public static let timeout = Self(rawValue: 5002)

    /// Every documented code, in ascending order.
    public static let documented: [KlingCode] = rows.map(\.code)

    /// The HTTP status that Kling sends with the code; 500 for an undocumented code.
    public var httpStatus: Int { row?.httpStatus ?? 500 }

    /// What the code says about the request.
    public var `class`: FaultClass { row?.class ?? .unknown }

    /// Kling's own description of the code.
    public var meaning: String { row?.meaning ?? "unknown service code \(rawValue)" }

    private struct Row {
        let code: KlingCode
        let httpStatus: Int
        let `class`: FaultClass
        let meaning: String

        init(_ code: KlingCode, _ httpStatus: Int, _ class: FaultClass, _ meaning: String) {
            self.code = code
            self.httpStatus = httpStatus
            self.class = `class`
            self.meaning = meaning
        }
    }

    private static let rows: [Row] = [
        Row(.ok, 200, .ok, "SUCCEED"),
        Row(.authenticationFailed, 401, .credentials, "Authentication failed"),
        Row(.authorizationEmpty, 401, .credentials, "Authorization is empty"),
        Row(.authorizationInvalid, 401, .credentials, "Authorization is invalid"),
        Row(.tokenNotYetValid, 401, .tokenTime, "Authorization is not yet valid"),
        Row(.tokenExpired, 401, .tokenTime, "Authorization has expired"),
        Row(.accountAbnormal, 429, .credentials, "Account exception"),
        Row(.accountInArrears, 429, .credentials, "Account in arrears"),
        Row(.resourcePackExhausted, 429, .credentials, "Resource pack depleted or expired"),
        Row(.permissionDenied, 403, .permission, "Unauthorized access to requested resource"),
        Row(.invalidRequest, 400, .request, "Invalid request parameters"),
        Row(.invalidParameter, 400, .request, "Invalid parameters"),
        Row(.invalidMethod, 404, .request, "The requested method is invalid"),
        Row(.notFound, 404, .request, "The requested resource does not exist"),
        Row(.platformPolicy, 400, .request, "Trigger strategy of the platform"),
        Row(.contentPolicy, 400, .request, "Trigger the content security policy of the platform"),
        Row(.rateLimited, 429, .rateLimited, "The API request is too fast, exceeding the platform's rate limit"),
        Row(.concurrencyExceeded, 429, .saturated, "Concurrency or QPS exceeds the prepaid resource package limit"),
        Row(.addressNotAllowed, 429, .credentials, "Trigger the platform's IP whitelisting policy"),
        Row(.internalError, 500, .ambiguous, "Server internal error"),
        Row(.unavailable, 503, .unavailable, "Server temporarily unavailable, usually due to maintenance"),
        Row(.timeout, 504, .ambiguous, "Server internal timeout, usually due to a backlog"),
    ]

    /// Nearly all answers have the first code.
    private var row: Row? { Self.rows.first { $0.code == self } }
}
