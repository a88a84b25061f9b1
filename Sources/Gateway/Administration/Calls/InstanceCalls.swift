internal import HTTPServer
internal import KlingAPI

/// Says which gateway answers.
enum InstanceCalls {
    static let routes = [
        AdminRoute(
            method: .get, path: "/admin/v1/instance", name: "getInstance",
            summary: "Tell which gateway this is.",
            details: "Commands call it to learn whether this gateway serves from the store that they would open.",
            answer: AdminRoute.Answer(
                description: "The gateway.",
                schema: AdminSchemas.object([
                    ("store", AdminSchemas.text("Tells the store from others.")),
                    ("version", AdminSchemas.text("The gateway's version.")),
                ])),
            handle: instance)
    ]

    private static func instance(_ request: AdminRequest, _ parts: AdminParts) async -> AdminReply {
        .json(
            JSONWriter.object { writer in
                writer.member("store", parts.storeIdentity)
                writer.member("version", parts.version)
            })
    }
}
