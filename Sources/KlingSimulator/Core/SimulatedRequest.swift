internal import KlingAPI

/// A request to the simulator, understood as far as that goes without knowing who sent it.
public struct SimulatedRequest: Sendable {
    /// A header field.
    public typealias Field = (name: String, value: String)

    /// What can be asked for.
    enum Route: Sendable {
        case call(Call)
        case costs
        case picture(Picture)
        case control(Control)
        case none(SimulatedRefusal)
    }

    /// What is asked for with the keys of an account.
    enum Call: Sendable {
        case create(Result<CreateRequest, SimulatedRefusal>)
        case query(String)
        case list(Result<ListPage, SimulatedRefusal>)

        var point: FaultRule.Point {
            switch self {
            case .create: .create
            case .query: .query
            case .list: .list
            }
        }
    }

    /// A picture that is shown to anybody.
    enum Picture: Sendable, Hashable {
        case person, garment
        case result(String)
    }

    /// The simulator's own interface.
    enum Control: Sendable {
        case tasks, creates, requests, reset, clearFaults
        case addFault(Result<FaultRule, SimulatedRefusal>)
    }

    let route: Route
    let headers: [Field]
    var authorization: String? { headers.first { $0.name.lowercased() == "authorization" }?.value }

    /// Reads a request. The body of a create is checked here, so that it need not be when the simulator is locked.
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
        case (_, "_simulator", let rest): return control(method, rest, body)
        default: return .none(SimulatedRefusal(.notFound))
        }
    }

    private static func tryOn(_ method: String, id: String?, _ query: String?, _ body: [UInt8]) -> Route {
        switch (method, id) {
        case ("POST", nil):
            .call(.create(Result { () throws(SimulatedRefusal) in try CreateRequest(body) }))
        case ("GET", nil):
            .call(.list(Result { () throws(SimulatedRefusal) in try ListPage(query: query) }))
        case ("GET", let id?): .call(.query(id))
        default: .none(SimulatedRefusal(.invalidMethod))
        }
    }

    private static func control(_ method: String, _ segments: [String], _ body: [UInt8]) -> Route {
        switch (method, segments) {
        case ("GET", ["tasks"]): .control(.tasks)
        case ("GET", ["creates"]): .control(.creates)
        case ("GET", ["requests"]): .control(.requests)
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

/// Percent-encoding (RFC 3986 section 2.1).
private enum PercentEncoding {
    /// The text; what is no valid escape stays as it is.
    static func decoded(_ text: Substring) -> String {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return String(text) }
        let bytes = Array(text.utf8)
        var (result, position) = ([UInt8](), 0)
        while position < bytes.count {
            if bytes[position] == UInt8(ascii: "%"), position + 2 < bytes.count,
                let byte = UInt8(String(decoding: bytes[position + 1...position + 2], as: UTF8.self), radix: 16)
            {
                result.append(byte)
                position += 3
            } else {
                result.append(bytes[position])
                position += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
