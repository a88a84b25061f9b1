internal import KlingAPI

/// The OpenAPI operations in Kling's shape, and of the document itself.
enum KlingOperations {
    static let create = OperationDescription(
        name: "createTryOn", summary: "Try a garment on a person",
        details: """
            The answer names the task. Query it until it has ended. With an `Idempotency-Key` (1 to 255 visible ASCII \
            characters) you can repeat the request: for 24 hours, the same body gets the same answer, and no second \
            task is made.
            """,
        body: [.init(schema: ["$ref": "#/components/schemas/TryOnRequest"], example: example)],
        success: .init(
            description: "The task is accepted, or waits for its turn.",
            content: .init(schema: ["$ref": "#/components/schemas/TaskAnswer"]), headers: [.replayed],
            query: .init(operation: "queryTryOn", parameters: ["id": "$response.body#/data/task_id"])),
        causes: .withTasks)

    private static let example: JSONLiteral = [
        "human_image": .string(OperationDescription.exampleHost + "person.jpg"),
        "cloth_image": .string(OperationDescription.exampleHost + "garment.jpg"),
    ]

    static let list = OperationDescription(
        name: "listTryOns", summary: "List your tasks",
        details: "The newest task comes first. Repeated parameters are refused; unknown ones are ignored.",
        parameters: [
            number("pageNum", TryOn.pageNumbers, default: 1, "The number of the page."),
            number("pageSize", TryOn.pageSizes, default: TryOn.defaultPageSize, "The number of tasks per page."),
        ],
        success: .init(
            description: "A page of tasks.", content: .init(schema: ["$ref": "#/components/schemas/TaskListAnswer"])),
        causes: .withKey.union([.badParameter]))

    static let query = OperationDescription(
        name: "queryTryOn", summary: "Query a task",
        details:
            "For a task that has ended, the answer comes from the gateway's own record, for as long as that is kept.",
        parameters: [segment("id", "Kling's `task_id`, or your own `external_task_id`.")],
        success: .init(
            description: "The task.", content: .init(schema: ["$ref": "#/components/schemas/TaskAnswer"]),
            headers: [.staleness]),
        causes: .withKey.union([.unknownTask, .unknownPath, .lookUpsOpen]))

    static let costs = OperationDescription(
        name: "listCosts", summary: "Check a key",
        details: "Kling lists an account's resource packs here. The gateway's list is always empty.",
        success: .init(
            description: "The key is valid.", content: .init(schema: ["$ref": "#/components/schemas/CostsAnswer"])),
        causes: .withKey)

    static let callback = OperationDescription(
        name: "receiveCallback", summary: "Callbacks from Kling",
        details:
            "Only for Kling, which is given the token. Unless the callback is signed, the gateway queries the task.",
        parameters: [segment("token", "The token of a task.")],
        body: [.init(schema: ["type": "object"])],
        success: .init(
            description: "The callback was received.",
            content: .init(schema: ["$ref": "#/components/schemas/CallbackAnswer"])),
        causes: .anything.union([
            .unknownPath, .invalidCredentials, .malformedBody, .bodyTooLarge, .noMemory, .storeUnavailable,
        ]))

    static let callbackTest = OperationDescription(
        name: "receiveTestCallback", summary: "Test callbacks from Kling's console",
        details:
            "The answer is 200 if the `webhook_secret` of an account verifies the signature. Nothing else happens.",
        body: [.init(schema: ["type": "object"])],
        success: .init(
            description: "The callback was received.",
            content: .init(schema: ["$ref": "#/components/schemas/CallbackAnswer"])),
        causes: .anything.union([.invalidCredentials, .bodyTooLarge, .noMemory]))

    static let picture = OperationDescription(
        name: "getPicture", summary: "Pictures for Kling",
        details: "Only for Kling, which is given the name. The picture is served while its task runs.",
        parameters: [segment("name", "The name of a picture.")],
        success: .init(description: "The file.", content: .init(mediaType: "image/*", schema: [:])),
        causes: .anything.union([.unknownPath, .noMemory, .storeUnavailable]))

    static let root = OperationDescription(
        name: "welcome", summary: "Answers load balancers, and redirects browsers to the documentation", details: "",
        success: .init(description: "The gateway answers.", content: .init(schema: ["type": "object"])),
        causes: .anything)

    static let openAPI = OperationDescription(
        name: "describe", summary: "This document", details: "",
        success: .init(description: "This document.", content: .init(schema: ["type": "object"])), causes: .anything)

    static let docs = OperationDescription(
        name: "explain", summary: "This document as a web page", details: "",
        success: .init(
            description: "A self-contained page.",
            content: .init(mediaType: "text/html", schema: ["type": "string"])),
        causes: .anything)

    /// A numeric parameter of the query.
    static func number(
        _ name: String, _ range: ClosedRange<Int>, default value: Int, _ description: String
    ) -> JSONLiteral {
        [
            "name": .string(name), "in": "query", "description": .string(description),
            "schema": [
                "type": "integer", "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound),
                "default": .integer(value),
            ],
        ]
    }

    /// A parameter that is a segment of the path.
    static func segment(_ name: String, _ description: String) -> JSONLiteral {
        [
            "name": .string(name), "in": "path", "required": true, "description": .string(description),
            "schema": ["type": "string", "minLength": 1],
        ]
    }
}
