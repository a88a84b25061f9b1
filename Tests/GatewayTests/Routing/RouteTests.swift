import Testing

@testable import Gateway

struct RouteTests {
    private func match(_ path: String) -> RouteMatch? { RouteMatch(path: Array(path.utf8).span) }

    @Test(arguments: [
        "/v1/images/kolors-virtual-try-on", "/v1/images/kolors-virtual-try-on/", "//v1//images/kolors-virtual-try-on",
        "/kling/v1/images/kolors-virtual-try-on", "/proxy/kling/v1/images/kolors-virtual-try-on",
        "/v1/images/kolors%2Dvirtual-try-on",
    ])
    func `create and list match under every prefix, with any slashes`(path: String) {
        #expect(match(path)?.route == .tryOn)
    }

    @Test(arguments: [
        ("/v1/images/kolors-virtual-try-on/815335657866002502", "815335657866002502"),
        ("/kling/v1/images/kolors-virtual-try-on//815/", "815"),
        ("/v1/images/kolors-virtual-try-on/a%20b%2Fc", "a b/c"),
        ("/v1/images/kolors-virtual-try-on/%2525", "%25"),
        ("/v1/images/kolors-virtual-try-on/..", ".."),
    ])
    func `an id is percent-decoded once`(path: String, id: String) {
        #expect(match(path)?.route == .tryOnTask)
        #expect(match(path)?.identifier == id)
    }

    @Test(arguments: ["/callbacks/kling/abc", "//callbacks/kling/abc/"])
    func `Kling's callbacks match with their token`(path: String) {
        #expect(match(path)?.route == .callback)
        #expect(match(path)?.identifier == "abc")
        #expect(match(path)?.rules == RouteRules(shape: .kling, methods: .post, needsKey: false))
    }

    @Test(arguments: [
        "/callbacks", "/callbacks/kling/a/b", "/kling/callbacks/kling/a",
        "/v1", "/v1/images", "/v1/images/kolors-virtual-try-on/a/b", "/V1/images/kolors-virtual-try-on",
        "/kling/images/kolors-virtual-try-on", "/v1/images/kolors-virtual-try-on/%00",
        "/v1/images/kolors-virtual-try-on/%ff", "/v1%2Fimages/kolors-virtual-try-on",
        "/v1/images/kolors-virtual-try-on/" + String(repeating: "a", count: 257),
    ])
    func `other paths and invalid ids do not match`(path: String) {
        #expect(match(path) == nil)
    }

    @Test(arguments: [
        ("/v1/models", Route.models, ""), ("/kling/v1/models/", .models, ""), ("/v1/images/edits", .imageEdits, ""),
        ("/v1/models/kolors-virtual-try-on-v1-5", .model, "kolors-virtual-try-on-v1-5"),
        ("/kling/v1/models/a%2Fb", .model, "a/b"), ("/kling/v1/images/edits", .imageEdits, ""),
        ("/v1/kling/images/virtual-try-on", .useapiTryOn, ""), ("/v1/kling/tasks", .useapiTasks, ""),
        ("/v1/kling/tasks/100000001", .useapiTask, "100000001"), ("/v1/kling/assets", .useapiAssets, ""),
        ("/v1/kling/assets/person.png", .useapiAsset, "person.png"), ("/openapi.json", .openAPI, ""),
        ("/models", .models, ""), ("/models/a", .model, "a"), ("/images/edits", .imageEdits, ""),
        ("/proxy/kling/v1/models", .models, ""), ("/account/costs", .costs, ""), ("/kling/account/costs", .costs, ""),
        ("/docs/", .docs, ""), ("/", .root, ""), ("//", .root, ""), ("/pictures/a.jpg", .hostedPicture, "a.jpg"),
    ])
    func `the routes of other shapes match on their paths`(path: String, route: Route, identifier: String) {
        #expect(match(path)?.route == route)
        #expect(match(path)?.identifier == identifier)
    }

    @Test(arguments: [
        "/v1/kling", "/v1/kling/images", "/kling/v1/kling/tasks", "/kling/openapi.json", "/docs/a", "/v1/models/a/b",
        "/pictures", "/kling/pictures/a.jpg", "/pictures/a/b.jpg", "/v1/image", "/v1/imagess", "/v1/images/edit%73x",
    ])
    func `paths next to those of other shapes do not match`(path: String) {
        #expect(match(path) == nil)
    }

    @Test func `each route has exactly one line in the table`() {
        #expect(
            RouteTable.lines.map(\.route).sorted { $0.rawValue < $1.rawValue }
                == Route.allCases.sorted { $0.rawValue < $1.rawValue })
    }

    @Test func `HEAD is allowed where GET is, and Allow says so`() {
        let methods: RouteRules.Methods = [.get, .post]
        #expect(methods.text == "GET, HEAD, POST")
        #expect(RouteRules.Methods.get.allows(.head) && !RouteRules.Methods.get.allows(.post))
        #expect(!RouteRules.Methods.post.allows(.get) && !methods.allows(.delete))
    }

    @Test func `a list without parameters is the first page of thirty`() throws {
        let page = try ListParameters(query: "other=1&pageNumber=2")
        #expect((page.page, page.size) == (1, 30))
    }

    @Test func `parses page and size`() throws {
        let page = try ListParameters(query: "pageSize=500&pageNum=1000")
        #expect((page.page, page.size) == (1000, 500))
    }

    @Test(arguments: [
        "pageNum=0", "pageNum=1001", "pageSize=501", "pageSize=0", "pageNum=", "pageNum", "pageNum=+1", "pageNum=1e1",
        "pageNum=1&pageNum=1", "pageSize=-1", "pageSize=9999999999999999999999", "pageNum=%31",
    ])
    func `an invalid page or size is refused, naming the parameter`(query: String) {
        let error = #expect(throws: GatewayError.self) { try ListParameters(query: query) }
        #expect(error?.cause == .badParameter)
        #expect(error?.parameter.map { query.hasPrefix($0) } == true)
    }

    @Test func `every cause has an error status, and a Retry-After for 429 and 503`() {
        for cause in Cause.allCases {
            #expect((400...599).contains(cause.row.status), "\(cause)")
            if cause.row.status == 429 || cause.row.status == 503 { #expect(cause.row.retryAfter != nil, "\(cause)") }
        }
        // Two causes share a word: an unknown model in the body, and one in the path.
        #expect(Set(Cause.allCases.map(\.row.word)).count == Cause.allCases.count - 1)
    }
}
