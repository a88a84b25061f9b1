internal import HTTPServer

/// What the operators' listener serves at a path.
enum AdminPath: Equatable {
    case alive, ready, metrics
    /// The OpenAPI document of the administration API.
    case description
    /// `/`, which leads to the console.
    case root
    /// A file of the console.
    case console(String)
    /// Signing in to the console, and out.
    case session
    /// A call of the administration API.
    case call
    case nothing

    init(_ path: String) {
        self =
            switch path {
            case "/healthz": .alive
            case "/readyz": .ready
            case "/metrics": .metrics
            case "/openapi.json": .description
            case "/": .root
            case "/console": .console("")
            case "/session": .session
            case _ where path.hasPrefix("/console/"): .console(String(path.dropFirst("/console/".count)))
            case _ where path.hasPrefix(AdminAPI.prefix): .call
            default: .nothing
            }
    }

    /// Whether everyone is answered: these paths show no data.
    var isOpen: Bool {
        switch self {
        case .alive, .ready, .root, .console, .session: true
        case .metrics, .description, .call, .nothing: false
        }
    }

    /// The methods besides those that calls have for themselves.
    private var methods: String? {
        switch self {
        case .alive, .ready, .metrics, .description, .root, .console: "GET, HEAD"
        case .session: "POST, DELETE"
        case .call, .nothing: nil
        }
    }

    /// - Throws: 404 or 405.
    func check(_ method: HTTPMethod) throws(AdminError) {
        if self == .nothing { throw .notFound }
        guard let methods, !methods.split(separator: ", ").contains(Substring(method.rawValue)) else { return }
        throw .wrongMethod(methods)
    }
}
