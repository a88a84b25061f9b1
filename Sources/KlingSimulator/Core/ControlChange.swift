internal import KlingAPI

/// A change requested through the control API, other than faults.
enum ControlChange: Sendable {
    /// Changes which APIs an account has: `POST /_simulator/api`, `{"api": "solutions", "account": "first"}`. Without
    /// `account` it applies to all.
    case api(SimulatedAPI, account: String?)
    /// Adds a task of another solution: `POST /_simulator/foreign-tasks`, `{"account": "first", "id": "...", ...}`.
    case foreignTask(ForeignTask, account: String)
    /// Sends the test callback of Kling's console: `POST /_simulator/test-callback`, `{"url": "..."}`.
    case testCallback(String)

    /// The last segments of their paths.
    static let names: Set = ["api", "foreign-tasks", "test-callback"]

    /// Parses the body of a request.
    /// - Parameter name: one of ``names``.
    init(_ name: String, _ body: [UInt8]) throws(SimulatedRefusal) {
        guard let object = JSONObject(body) else { throw SimulatedRefusal(.invalidRequest) }
        switch name {
        case "api":
            guard let api = object.string("api").flatMap(SimulatedAPI.init(rawValue:)) else {
                throw .parameter("api must be one of \(SimulatedAPI.usage)")
            }
            self = .api(api, account: object.string("account"))
        case "foreign-tasks":
            guard let account = object.string("account") else { throw .parameter("account is required") }
            self = .foreignTask(try ForeignTask(json: object), account: account)
        default:
            guard let url = object.string("url") else { throw .parameter("url is required") }
            self = .testCallback(url)
        }
    }
}
