internal import HTTPServer
internal import KlingAPI

/// What the gateway serves. ``RouteTable`` has the rules and paths. The raw value is the name in logs and metrics.
public enum Route: String, Sendable, CaseIterable {
    /// Create (POST) and list (GET).
    case tryOn = "try_on"
    /// Query of one task.
    case tryOnTask = "try_on_task"
    /// Create in the shape of Kling's new API.
    case solutionsTryOn = "solutions_try_on"
    /// Query (GET) and list (POST) in that shape.
    case solutions
    /// Kling's list of resource packs, by which clients check their keys.
    case costs
    /// Kling's own callbacks.
    case callback = "kling_callback"
    /// The path that the test button of Kling's console calls.
    case callbackTest = "kling_callback_test"
    /// The models, as OpenAI lists them.
    case models
    /// One model.
    case model
    /// What a key may use and has used.
    case usage
    /// A try-on in OpenAI's shape, answered when the picture is ready.
    case imageEdits = "image_edits"
    /// A job in the shape of useapi.net.
    case useapiTryOn = "useapi_try_on"
    /// useapi.net's list of jobs.
    case useapiTasks = "useapi_tasks"
    /// One job.
    case useapiTask = "useapi_task"
    /// Upload of a picture.
    case useapiAssets = "useapi_assets"
    /// An uploaded picture.
    case useapiAsset = "useapi_asset"
    /// A picture that Kling got as a link.
    case hostedPicture = "hosted_picture"
    /// `/`, which answers load balancers and redirects browsers to ``docs``.
    case root
    /// The OpenAPI document of all routes.
    case openAPI = "openapi"
    /// The same document as a web page.
    case docs
}

/// The rules for every request of a route.
struct RouteRules: Equatable, Sendable {
    /// Methods of a path. HEAD works where GET does.
    struct Methods: OptionSet, Sendable {
        let rawValue: UInt8
        static let get = Methods(rawValue: 1)
        static let post = Methods(rawValue: 2)

        /// Whether `method` is one of them.
        func allows(_ method: HTTPMethod) -> Bool {
            switch method {
            case .get, .head: contains(.get)
            case .post: contains(.post)
            default: false
            }
        }

        /// The value of `Allow`.
        var text: String {
            [contains(.get) ? "GET, HEAD" : nil, contains(.post) ? "POST" : nil].compactMap(\.self)
                .joined(separator: ", ")
        }
    }

    /// The kind of body that a POST has.
    enum Body: Sendable {
        /// JSON, whatever the `Content-Type`, unless that is a multipart type.
        case json
        /// `multipart/form-data`, else JSON.
        case jsonOrForm
        /// Any body; the route's own handler decides.
        case any
    }

    let shape: Shape
    let methods: Methods
    /// Whether clients must present a key. If not, the path's own handler decides who has access.
    var needsKey = true
    var body = Body.json
}

/// Every route with its rules and paths. This is the only place to add a route.
enum RouteTable {
    struct Line: Sendable {
        let route: Route
        let rules: RouteRules
        /// From the root; a last segment in braces matches any one segment.
        let paths: [String]

        init(_ route: Route, _ rules: RouteRules, _ paths: [String]) {
            self.route = route
            self.rules = rules
            self.paths = paths
        }
    }

    /// The busiest first.
    static let lines = [
        Line(.tryOn, RouteRules(shape: .kling, methods: [.get, .post]), alsoUnderKling(TryOn.path)),
        Line(.tryOnTask, RouteRules(shape: .kling, methods: .get), alsoUnderKling(TryOn.path + "/{id}")),
        Line(
            .solutionsTryOn, RouteRules(shape: .solutions, methods: .post), alsoUnderKling(Solutions.createPath)),
        Line(.solutions, RouteRules(shape: .solutions, methods: [.get, .post]), alsoUnderKling(Solutions.path)),
        Line(.callback, RouteRules(shape: .kling, methods: .post, needsKey: false), ["/callbacks/kling/{token}"]),
        Line(.callbackTest, RouteRules(shape: .kling, methods: .post, needsKey: false), ["/callbacks/kling"]),
        Line(.models, RouteRules(shape: .openAI, methods: .get), alsoWithoutVersion("/models")),
        Line(.model, RouteRules(shape: .openAI, methods: .get), alsoWithoutVersion("/models/{id}")),
        Line(
            .imageEdits, RouteRules(shape: .openAI, methods: .post, body: .jsonOrForm),
            alsoWithoutVersion("/images/edits")),
        Line(.costs, RouteRules(shape: .kling, methods: .get), alsoUnderKling("/account/costs")),
        Line(.usage, RouteRules(shape: .openAI, methods: .get), alsoUnderKling("/v1/usage")),
        Line(
            .useapiTryOn, RouteRules(shape: .useapi, methods: .post, body: .jsonOrForm),
            ["/v1/kling/images/virtual-try-on"]),
        Line(.useapiTasks, RouteRules(shape: .useapi, methods: .get), ["/v1/kling/tasks"]),
        Line(.useapiTask, RouteRules(shape: .useapi, methods: .get), ["/v1/kling/tasks/{id}"]),
        Line(.useapiAssets, RouteRules(shape: .useapi, methods: .post, body: .any), ["/v1/kling/assets"]),
        Line(.useapiAsset, RouteRules(shape: .useapi, methods: .get), ["/v1/kling/assets/{name}"]),
        Line(
            .hostedPicture, RouteRules(shape: .kling, methods: .get, needsKey: false),
            [HostedPicture.path + "{name}"]),
        Line(.root, RouteRules(shape: .kling, methods: .get, needsKey: false), ["/"]),
        Line(.openAPI, RouteRules(shape: .kling, methods: .get, needsKey: false), ["/openapi.json"]),
        Line(.docs, RouteRules(shape: .kling, methods: .get, needsKey: false), ["/docs"]),
    ]

    /// Resellers serve Kling's and OpenAI's paths under `/kling` as well, and ComfyUI's nodes ask for those under
    /// `/proxy`.
    private static func alsoUnderKling(_ path: String) -> [String] {
        [path, "/kling" + path, "/proxy/kling" + path]
    }

    /// OpenAI's clients leave out the `/v1` if their `base_url` does.
    private static func alsoWithoutVersion(_ path: String) -> [String] { alsoUnderKling("/v1" + path) + [path] }
}

extension GatewayError {
    /// The path is served, but not with this method.
    static func methodNotAllowed(_ methods: RouteRules.Methods) -> GatewayError {
        var error = GatewayError(.methodNotAllowed, "This path takes \(methods.text).")
        error.headers = [(name: "Allow", value: methods.text)]
        return error
    }
}
