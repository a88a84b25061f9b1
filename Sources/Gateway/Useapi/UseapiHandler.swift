internal import HTTPServer

/// Jobs and assets as useapi.net's clients ask for them.
struct UseapiHandler: ShapeHandler {
    func answer(_ admitted: AdmittedRequest) async throws(GatewayError) -> HTTPResponse {
        throw .unknownPath
    }
}
