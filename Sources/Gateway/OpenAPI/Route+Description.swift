internal import KlingAPI

extension RouteTable.Line {
    /// The operations of the route's methods, in the order of the document. HEAD is not listed.
    var operations: [(method: String, OperationDescription)] {
        switch route {
        case .tryOn: [("post", KlingOperations.create), ("get", KlingOperations.list)]
        case .tryOnTask: [("get", KlingOperations.query)]
        case .solutionsTryOn: [("post", SolutionsOperations.create)]
        case .solutions: [("get", SolutionsOperations.query), ("post", SolutionsOperations.list)]
        case .costs: [("get", KlingOperations.costs)]
        case .callback: [("post", KlingOperations.callback)]
        case .callbackTest: [("post", KlingOperations.callbackTest)]
        case .models: [("get", OpenAIOperations.models)]
        case .model: [("get", OpenAIOperations.model)]
        case .usage: [("get", OpenAIOperations.usage)]
        case .root: [("get", KlingOperations.root)]
        case .openAPI: [("get", KlingOperations.openAPI)]
        case .docs: [("get", KlingOperations.docs)]
        case .imageEdits: [("post", OpenAIOperations.edit)]
        case .useapiTryOn: [("post", UseapiOperations.create)]
        case .useapiTasks: [("get", UseapiOperations.tasks)]
        case .useapiTask: [("get", UseapiOperations.task)]
        case .useapiAssets: []
        case .useapiAsset: [("get", UseapiOperations.download)]
        case .hostedPicture: [("get", KlingOperations.picture)]
        }
    }
}

extension RouteTable.Line {
    /// The description of a route in words, where a schema cannot express it.
    var words: JSONLiteral { route == .useapiAssets ? UseapiOperations.upload : [:] }
}

extension Shape {
    /// The tag under which the document lists the shape's routes.
    var title: String {
        switch self {
        case .kling: "Kling"
        case .solutions: "Kling, solutions"
        case .openAI: "OpenAI"
        case .useapi: "useapi.net"
        }
    }
}
