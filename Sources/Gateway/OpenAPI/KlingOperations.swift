internal import KlingAPI

/// The OpenAPI operations in Kling's shape, and of the document itself.
enum KlingOperations {
    static let create = OperationDescription(
        name: "createTryOn", summary: "Try a garment on a person",
        details: """
            The answer names the task, which is queried until it has ended. With an `Idempotency-Key` (1 to 255 visible \
            ASCII characters) the request can be sent again: for 24 hours the same body gets the same answer, and no \
            second task.
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
        details: "Newest first. Repeated parameters are refused, others than these ignored.",
        parameters: [
            number("pageNum", TryOn.pageNumbers, default: 1, "Which page."),
            number("pageSize", TryOn.pageSizes, default: TryOn.defaultPageSize, "How many tasks a page has."),
        ],
        success: .init(
            description: "A page of tasks.", content: .init(schema: ["$ref": "#/components/schemas/TaskListAnswer"])),
        causes: .withKey.union([.badParameter]))

    static let query = OperationDescription(
        name: "queryTryOn", summary: "Query a task",
        details: "A task that has ended is answered from the gateway's own record for as long as that is kept.",
        parameters: [segment("id", "Kling's `task_id`, or your own `external_task_id`.")],
        success: .init(
            description: "The task.", content: .init(schema: ["$ref": "#/components/schemas/TaskAnswer"]),
            headers: [.staleness]),
        causes: .withKey.union([.unknownTask, .unknownPath, .lookUpsOpen]))

    static let costs = OperationDescription(
        name: "listCosts", summary: "Check a key",
        details: "Where Kling lists an account's resource packs. The list is empty: the accounts are the gateway's.",
        success: .init(
            description: "The key is valid.", content: .init(schema: ["$ref": "#/components/schemas/CostsAnswer"])),
        causes: .withKey)

    static let callback = OperationDescription(
        name: "receiveCallback", summary: "Kling's own calls",
        details:
            "For Kling alone, which has been told the token. What it says is read from Kling again, unless it is signed.",
        parameters: [segment("token", "Of one task.")],
        body: [.init(schema: ["type": "object"])],
        success: .init(
            description: "It was heard.", content: .init(schema: ["$ref": "#/components/schemas/CallbackAnswer"])),
        causes: .anything.union([
            .unknownPath, .invalidCredentials, .malformedBody, .bodyTooLarge, .noMemory, .storeUnavailable,
        ]))

    static let callbackTest = OperationDescription(
        name: "receiveTestCallback", summary: "The test of Kling's console",
        details: "Answered with 200 if an account's `webhook_secret` verifies it. It changes nothing.",
        body: [.init(schema: ["type": "object"])],
        success: .init(
            description: "It was heard.", content: .init(schema: ["$ref": "#/components/schemas/CallbackAnswer"])),
        causes: .anything.union([.invalidCredentials, .bodyTooLarge, .noMemory]))

    static let picture = OperationDescription(
        name: "getPicture", summary: "Pictures for Kling",
        details: "For Kling alone, which has been told the name, while the picture's task is at work.",
        parameters: [segment("name", "Of one picture.")],
        success: .init(description: "The file.", content: .init(mediaType: "image/*", schema: [:])),
        causes: .anything.union([.unknownPath, .noMemory, .storeUnavailable]))

    static let root = OperationDescription(
        name: "welcome", summary: "For load balancers, and for browsers, which are sent to the page", details: "",
        success: .init(description: "The gateway answers.", content: .init(schema: ["type": "object"])),
        causes: .anything)

    static let openAPI = OperationDescription(
        name: "describe", summary: "This document", details: "",
        success: .init(description: "This document.", content: .init(schema: ["type": "object"])), causes: .anything)

    static let docs = OperationDescription(
        name: "explain", summary: "The same for people", details: "",
        success: .init(
            description: "A page that needs no other.",
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
