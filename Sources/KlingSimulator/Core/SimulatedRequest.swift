internal import KlingAPI

/// A request to the simulator, parsed but not yet authenticated.
public struct SimulatedRequest: Sendable {
    /// A header field.
    public typealias Field = (name: String, value: String)

    /// What a request asks for.
    enum Route: Sendable {
        case call(Call)
        case costs
        case picture(Picture)
        case control(Control)
        case none(SimulatedRefusal)
    }

    /// A create, query or list, which needs an account's credentials.
    enum Call: Sendable {
        case create(SimulatedDialect, Result<CreateRequest, SimulatedRefusal>)
        case query(TaskName)
        case list(Result<ListPage, SimulatedRefusal>)
        case solutionQuery(Result<SolutionQuery, SimulatedRefusal>)
        case solutionList(Result<SolutionPage, SimulatedRefusal>)

        var point: FaultRule.Point {
            switch self {
            case .create: .create
            case .query, .solutionQuery: .query
            case .list, .solutionList: .list
            }
        }

        var dialect: SimulatedDialect {
            switch self {
            case .create(let dialect, _): dialect
            case .query, .list: .kolors
            case .solutionQuery, .solutionList: .solutions
            }
        }
    }

    /// A picture, which anyone may fetch.
    enum Picture: Sendable, Hashable {
        case person, garment
        case result(String)
        case watermarkedResult(String)
    }

    /// A request to the simulator's control API.
    enum Control: Sendable {
        case tasks, creates, requests, apis, reset, clearFaults
        case addFault(Result<FaultRule, SimulatedRefusal>)
        case change(Result<ControlChange, SimulatedRefusal>)
    }

    let route: Route
    let headers: [Field]

    init(route: Route, headers: [Field]) { (self.route, self.headers) = (route, headers) }

    var authorization: String? { headers.first { $0.name.lowercased() == "authorization" }?.value }

    /// Parses a request. It also checks the body of a create, so that this is not done while the simulator is locked.
    /// - Parameters:
    ///   - method: the method; `HEAD` is the same as `GET`.
    ///   - path: the raw path of the target.
    ///   - query: what follows the target's `?`.
    public init(
        method: String, path: String, query: String? = nil, headers: [Field] = [], body: [UInt8] = []
    ) {
        self.headers = headers
        let segments = path.split(separator: "/").map { PercentEncoding.decoded($0) }
        let method = method == "HEAD" ? "GET" : method
        route = Self.route(method, segments, query, body)
    }

    private static let tryOn = TryOn.path.split(separator: "/").map { String($0) }

    private static func route(_ method: String, _ segments: [String], _ query: String?, _ body: [UInt8]) -> Route {
        if segments.starts(with: tryOn), segments.count <= tryOn.count + 1 {
            return tryOn(method, id: segments.dropFirst(tryOn.count).first, query, body)
        }
        switch (method, segments.first, Array(segments.dropFirst())) {
        case ("GET", "account", ["costs"]): return .costs
        case ("GET", "samples", ["person.png"]): return .picture(.person)
        case ("GET", "samples", ["garment.png"]): return .picture(.garment)
        case ("GET", "results", let rest) where rest.count == 2 && rest[1] == "0.png": return .picture(.result(rest[0]))
        case ("GET", "results", let rest) where rest.count == 2 && rest[1] == "watermark.png":
            return .picture(.watermarkedResult(rest[0]))
        case (_, "solutions", let rest): return solutions(method, rest, query, body)
        case (_, "_simulator", let rest): return control(method, rest, body)
        default: return .none(SimulatedRefusal(.notFound))
        }
    }

    private static func tryOn(_ method: String, id: String?, _ query: String?, _ body: [UInt8]) -> Route {
        switch (method, id) {
        case ("POST", nil):
            .call(.create(.kolors, Result { () throws(SimulatedRefusal) in try CreateRequest(body) }))
        case ("GET", nil):
            .call(.list(Result { () throws(SimulatedRefusal) in try ListPage(query: query) }))
        case ("GET", let id?): .call(.query(TaskName(text: id, kind: .any, dialect: .kolors)))
        default: .none(SimulatedRefusal(.invalidMethod))
        }
    }

    private static func solutions(
        _ method: String, _ segments: [String], _ query: String?, _ body: [UInt8]
    ) -> Route {
        switch (method, segments) {
        case ("POST", ["virtual_try_on"]):
            .call(.create(.solutions, Result { () throws(SimulatedRefusal) in try CreateRequest(solution: body) }))
        case ("POST", []):
            .call(.solutionList(Result { () throws(SimulatedRefusal) in try SolutionPage(body) }))
        case ("GET", []):
            .call(.solutionQuery(Result { () throws(SimulatedRefusal) in try SolutionQuery(query: query) }))
        default: .none(SimulatedRefusal(.invalidMethod))
        }
    }

    private static func control(_ method: String, _ segments: [String], _ body: [UInt8]) -> Route {
        switch (method, segments) {
        case ("GET", ["tasks"]): .control(.tasks)
        case ("GET", ["creates"]): .control(.creates)
        case ("GET", ["requests"]): .control(.requests)
        case ("GET", ["api"]): .control(.apis)
        case ("POST", let rest) where rest.count == 1 && ControlChange.names.contains(rest[0]):
            .control(.change(Result { () throws(SimulatedRefusal) in try ControlChange(rest[0], body) }))
        case ("POST", ["reset"]): .control(.reset)
        case ("DELETE", ["faults"]): .control(.clearFaults)
        case ("POST", ["faults"]):
            .control(
                .addFault(
                    Result { () throws(SimulatedRefusal) in
                        guard let object = JSONObject(body) else { throw SimulatedRefusal(.invalidRequest) }
                        return try FaultRule(json: object)
                    }))
        default: .none(SimulatedRefusal(.notFound))
        }
    }
}
