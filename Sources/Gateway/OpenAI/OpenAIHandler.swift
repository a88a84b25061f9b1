internal import HTTPServer
internal import KlingAPI

/// The models and image edits that OpenAI's clients ask for.
struct OpenAIHandler: ShapeHandler {
    let models: TryOnModels
    let edits: ImageEdits

    func answer(_ admitted: AdmittedRequest) async throws(GatewayError) -> HTTPResponse {
        switch admitted.match.route {
        case .imageEdits: try await edits.answer(admitted)
        case .models: listModels(admitted)
        case .model: try model(admitted)
        default: throw .unknownPath
        }
    }

    private func listModels(_ admitted: AdmittedRequest) -> HTTPResponse {
        let json = JSONWriter.object { list in
            list.member("object", "list")
            list.array("data") { data in
                for name in models.names where admitted.principal.scope.isFor(name) {
                    data.object { Self.write(name, to: &$0) }
                }
            }
        }
        return Answer.success(json, requestID: admitted.note.requestID)
    }

    private func model(_ admitted: AdmittedRequest) throws(GatewayError) -> HTTPResponse {
        guard models.contains(admitted.identifier), admitted.principal.scope.isFor(admitted.identifier) else {
            throw GatewayError(
                .unlistedModel, "There is no such model. GET /v1/models lists those that there are.",
                parameter: "model")
        }
        let json = JSONWriter.object { Self.write(admitted.identifier, to: &$0) }
        return Answer.success(json, requestID: admitted.note.requestID)
    }

    private static func write(_ name: String, to model: inout JSONWriter) {
        model.member("id", name)
        model.member("object", "model")
        model.member("created", firstDay)
        model.member("owned_by", "kling")
    }

    /// When a model was made is not known: the day that virtual try-on came to the interface, in seconds since 1970.
    private static let firstDay = 1_726_617_600
}
