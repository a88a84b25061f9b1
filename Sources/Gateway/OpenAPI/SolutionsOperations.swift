internal import KlingAPI

/// The OpenAPI operations in the shape of Kling's newer API.
enum SolutionsOperations {
    static let create = OperationDescription(
        name: "createSolutionsTryOn", summary: "Try a garment on a person",
        details: """
            The shape that Kling sells today. The answer names the task, which is queried until it has ended, by this shape \
            or the other. With an `Idempotency-Key` (1 to 255 visible ASCII characters) the request can be sent again: for \
            24 hours the same body gets the same answer, and no second task.
            """,
        body: [.init(schema: ["$ref": "#/components/schemas/SolutionsRequest"], example: example)],
        success: .init(
            description: "The task is accepted, or waits for its turn.",
            content: .init(schema: ["$ref": "#/components/schemas/SolutionsCreated"]), headers: [.replayed],
            query: .init(operation: "querySolutions", parameters: ["task_ids": "$response.body#/data/task_id"])),
        causes: .withTasks)

    /// Takes links only, so they are not at the host of files.
    private static let example: JSONLiteral = [
        "contents": [
            ["type": "person_image", "url": "https://pictures.example.com/person.jpg"],
            ["type": "product_image", "url": "https://pictures.example.com/garment.jpg"],
        ]
    ]

    static let query = OperationDescription(
        name: "querySolutions", summary: "Query tasks",
        details: """
            \(Solutions.idsPerQuery.lowerBound) to \(Solutions.idsPerQuery.upperBound) ids with commas between them. In place of \
            `task_ids` send `external_task_ids` to ask by your own ids. Ids that no task of yours has are left out of the \
            answer.
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
            Newest first. With a `cursor` the list continues after the previous page, regardless of new tasks: the \
            times do not count then, and the filters must be the same.
            """,
        body: [.init(schema: ["$ref": "#/components/schemas/SolutionsList"], example: ["limit": 10])],
        success: .init(
            description: "A page of tasks.",
            content: .init(schema: ["$ref": "#/components/schemas/SolutionsPage"])),
        causes: .withTasks.subtracting([.unknownModel]))
}
