internal import HTTPServer
internal import KlingAPI

/// Serves the models and image edits in OpenAI's shape, and a key's usage.
struct OpenAIHandler: ShapeHandler {
    let models: TryOnModels
    let edits: ImageEdits
    let usage: UsageHandler

    func answer(_ admitted: AdmittedRequest) async throws(GatewayError) -> HTTPResponse {
        switch admitted.match.route {
        case .imageEdits: try await edits.answer(admitted)
        case .models: listModels(admitted)
        case .usage: try await usage.answer(admitted)
        case .model: try model(admitted)
        default: throw .unknownPath
        }
    }

    private func listModels(_ admitted: AdmittedRequest) -> HTTPResponse {
        let json = JSONWriter.object { list in
            list.member("object", "list")
            list.array("data") { data in
                for name in models.names where allows(name, admitted) {
                    data.object { Self.write(name, to: &$0) }
                }
            }
        }
        return Answer.success(json, requestID: admitted.note.requestID)
    }

    private func model(_ admitted: AdmittedRequest) throws(GatewayError) -> HTTPResponse {
        guard allows(admitted.identifier, admitted) else {
            throw GatewayError(
                .unlistedModel, "There is no such model. GET /v1/models lists the available ones.",
                parameter: "model")
        }
        let json = JSONWriter.object { Self.write(admitted.identifier, to: &$0) }
        return Answer.success(json, requestID: admitted.note.requestID)
    }

    /// Whether the name means a model that the key may use.
    private func allows(_ name: String, _ admitted: AdmittedRequest) -> Bool {
        models.model(named: name).map(admitted.principal.allows) ?? false
    }

    private static func write(_ name: String, to model: inout JSONWriter) {
        model.member("id", name)
        model.member("object", "model")
        model.member("created", firstDay)
        model.member("owned_by", "kling")
    }

    /// The creation time of every model, as the real one is unknown: the day on which virtual try-on came to the API,
    /// in seconds since 1970.
    private static let firstDay = 1_726_617_600
}
