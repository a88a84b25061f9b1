internal import KlingAPI

/// The OpenAPI operations in the shape of Kling's newer API.
enum SolutionsOperations {
    static let create = OperationDescription(
        name: "createSolutionsTryOn", summary: "Try a garment on a person",
        details: """
            The API that Kling sells today. The answer names the task. Query it until it has ended, through this API \
            or the older one. With an `Idempotency-Key` (1 to 255 visible ASCII characters) you can repeat the \
            request: for 24 hours, the same body gets the same answer, and no second task is made.
            """,
        body: [.init(schema: ["$ref": "#/components/schemas/SolutionsRequest"], example: example)],
        success: .init(
            description: "The task is accepted, or waits for its turn.",
            content: .init(schema: ["$ref": "#/components/schemas/SolutionsCreated"]), headers: [.replayed],
            query: .init(operation: "querySolutions", parameters: ["task_ids": "$response.body#/data/task_id"])),
        causes: .withTasks)

    /// This API takes URLs only, so the host is not ``OperationDescription/exampleHost``, which stands for files.
    private static let example: JSONLiteral = [
        "contents": [
            ["type": "person_image", "url": "https://pictures.example.com/person.jpg"],
            ["type": "product_image", "url": "https://pictures.example.com/garment.jpg"],
        ]
    ]

    static let query = OperationDescription(
        name: "querySolutions", summary: "Query tasks",
        details: """
            \(Solutions.idsPerQuery.lowerBound) to \(Solutions.idsPerQuery.upperBound) ids, separated by commas. To \
            query by your own ids, send `external_task_ids` instead of `task_ids`. Ids that none of your tasks has are \
            left out of the answer.
            """,
        parameters: [
            [
                "name": "task_ids", "in": "query", "required": true, "description": "Kling's ids, or the gateway's.",
                "schema": ["type": "string", "pattern": "^[A-Za-z0-9_.-]+(,[A-Za-z0-9_.-]+){0,19}$"],
            ]
        ],
        success: .init(
            description: "The tasks.", content: .init(schema: ["$ref": "#/components/schemas/SolutionsAnswer"])),
        causes: .withKey.union([.badParameter, .noMemory]))

    static let list = OperationDescription(
        name: "listSolutions", summary: "List your tasks",
        details: """
            The newest task comes first. With a `cursor`, the list continues after the previous page, regardless of \
            new tasks: the times are ignored, and the filters must be the same.
            """,
        body: [.init(schema: ["$ref": "#/components/schemas/SolutionsList"], example: ["limit": 10])],
        success: .init(
            description: "A page of tasks.",
            content: .init(schema: ["$ref": "#/components/schemas/SolutionsPage"])),
        causes: .withTasks.subtracting([.unknownModel]))
}
