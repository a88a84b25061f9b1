internal import KlingAPI

/// The OpenAPI operations in OpenAI's shape.
enum OpenAIOperations {
    static let models = OperationDescription(
        name: "listModels", summary: "List the models", details: "",
        success: .init(description: "The models that the key may use.", content: .init(schema: modelList)),
        causes: .withKey)

    static let model = OperationDescription(
        name: "getModel", summary: "Get a model", details: "",
        parameters: [KlingOperations.segment("id", "The model's name.")],
        success: .init(description: "The model.", content: .init(schema: SchemaParts.reference("Model"))),
        causes: .withKey.union([.unlistedModel, .unknownPath]))

    static let usage = OperationDescription(
        name: "getUsage", summary: "Get what a key may use and has used",
        details: """
            The limits of the key, and those of its tenant for all of its keys together; the tasks of this month; the \
            tenant's budgets. `used` includes `held`, which belongs to running tasks.
            """,
        success: .init(
            description: "The limits and figures.", content: .init(schema: SchemaParts.reference("Usage"))),
        causes: .withKey)

    static let edit = OperationDescription(
        name: "editImage", summary: "Try a garment on a person, and wait for the picture",
        details: """
            A retry by an SDK (`x-stainless-retry-count` above 0) attaches to the tasks of the first attempt. Every \
            task can be queried on Kling's paths.
            """,
        body: [
            .init(schema: SchemaParts.reference("ImageEdit"), example: example),
            .init(mediaType: "multipart/form-data", schema: SchemaParts.reference("ImageEditForm"), example: example),
        ],
        success: .init(
            description: "The pictures. With `stream`, events: comments while the pictures are made, then one "
                + "`image_edit.completed` per picture, as OpenAI documents it, or an `error` with the error object.",
            content: .init(schema: SchemaParts.reference("Images")),
            otherContent: .init(mediaType: "text/event-stream", schema: event), headers: [.replayed],
            query: .init(operation: "queryTryOn", parameters: ["id": "$response.body#/task_id"])),
        causes: .withTasks.union([.contentPolicy, .taskFailed, .taskUnfinished]))

    private static let event: JSONLiteral = [
        "type": "object",
        "properties": [
            "event": ["enum": ["image_edit.completed", "error"]],
            "data": ["type": "string", "contentMediaType": "application/json"],
        ],
    ]

    private static let example: JSONLiteral = [
        "image": [
            .string(OperationDescription.exampleHost + "person.jpg"),
            .string(OperationDescription.exampleHost + "garment.jpg"),
        ]
    ]

    static func schemas(_ models: TryOnModels) -> JSONLiteral {
        [
            "Model": modelObject, "ImageEdit": request(models), "ImageEditForm": form(models), "Images": images,
            "Usage": usageObject,
        ]
    }

    private static let modelList: JSONLiteral = [
        "type": "object", "required": ["object", "data"],
        "properties": [
            "object": ["const": "list"], "data": ["type": "array", "items": ["$ref": "#/components/schemas/Model"]],
        ],
    ]

    private static let modelObject: JSONLiteral = [
        "type": "object", "required": ["id", "object", "created", "owned_by"],
        "properties": [
            "id": ["type": "string"], "object": ["const": "model"],
            "created": ["type": "integer", "description": "Seconds since 1970."], "owned_by": ["type": "string"],
        ],
    ]

    private static let description = """
        The person comes first, then the garment. Two garments are possible too: first the upper, then the lower one. \
        The gateway combines the two into one picture, so it must be able to fetch them if they are URLs; the schema \
        cannot express that. `images` is another name for `image`.

        - `external_task_id`, `callback_url` (string): as in Kling's own request.

        `prompt`, `size` and all other members that OpenAI's clients send are accepted and ignored.
        """

    private static func request(_ models: TryOnModels) -> JSONLiteral {
        let picture: JSONLiteral = [
            "anyOf": [
                SchemaParts.reference("Picture"),
                [
                    "type": "object", "required": ["image_url"],
                    "properties": ["image_url": SchemaParts.reference("Picture")],
                ],
            ]
        ]
        return [
            "description": .string(description), "type": "object", "required": ["image"],
            "properties": JSONLiteral.object([
                .init(
                    name: "image",
                    value: [
                        "type": "array", "items": picture, "minItems": 2, "maxItems": 2,
                    ])
            ]).adding(members(models)),
        ]
    }

    private static func form(_ models: TryOnModels) -> JSONLiteral {
        SchemaParts.forForm([
            "description": .string("\(description)\n\nPictures are files, or text: URLs or base64."),
            "type": "object", "required": ["image"],
            "properties": JSONLiteral.object([
                .init(
                    name: "image",
                    value: [
                        "type": "array", "items": SchemaParts.reference("Picture"), "minItems": 2, "maxItems": 2,
                    ])
            ]).adding(members(models)),
        ])
    }

    private static func members(_ models: TryOnModels) -> JSONLiteral {
        [
            "model": SchemaParts.model(models, default: ImageEdit.defaultModel),
            "n": SchemaParts.number(
                ImageEdit.counts, description: "The number of pictures. Each is made by a separate task."),
            "response_format": [
                "description": "What the answer contains for each picture; both by default.",
                "enum": ["url", "b64_json", "", nil],
            ],
            "stream": SchemaParts.flag(
                "Whether to answer with a stream of events, which always contains the pictures themselves."),
            "user": SchemaParts.text(upTo: 512, description: "Your name for your end user"),
        ]
    }

    private static let images: JSONLiteral = [
        "type": "object", "required": ["created", "data", "task_id", "job_id"],
        "properties": [
            "created": ["type": "integer", "description": "Seconds since 1970."],
            "data": [
                "type": "array",
                "items": [
                    "type": "object",
                    "properties": [
                        "url": ["type": "string"], "b64_json": ["type": "string", "contentEncoding": "base64"],
                    ],
                ],
            ],
            "task_id": ["type": "string", "description": "The id of the first task, for queries."],
            "task_ids": [
                "type": "array", "items": ["type": "string"],
                "description": "The ids of all tasks, if there are several.",
            ],
            "job_id": ["type": "integer"],
        ],
    ]

    private static let usageObject: JSONLiteral = [
        "type": "object", "required": ["object", "tenant", "time_zone", "key", "all_keys", "budgets"],
        "properties": [
            "object": ["const": "usage"], "tenant": ["type": "string"],
            "time_zone": ["type": "string", "description": "The zone in which the tenant's days begin."],
            "key": usageLimits, "all_keys": usageLimits, "budgets": ["type": "array", "items": budget],
        ],
    ]

    private static let usageLimits: JSONLiteral = [
        "type": "object", "required": ["requests_per_minute", "concurrency", "models", "this_month"],
        "properties": [
            "id": ["type": "string"],
            "requests_per_minute": ["type": ["integer", "null"]],
            "concurrency": ["type": ["integer", "null"]],
            "models": [
                "type": "array", "items": ["type": "string"], "description": "Empty: every model.",
            ],
            "this_month": [
                "type": "object", "required": ["made", "succeeded", "failed", "running", "units"],
                "properties": [
                    "made": count, "succeeded": count, "failed": count, "running": count,
                    "units": ["type": "number"],
                ],
            ],
        ],
    ]

    private static let budget: JSONLiteral = [
        "type": "object", "required": ["metric", "period", "limit", "used", "held", "left"],
        "properties": [
            "metric": ["enum": ["tasks", "units"]], "period": ["enum": ["day", "week", "month", "total"]],
            "limit": ["type": "number"], "used": ["type": "number"], "held": ["type": "number"],
            "left": ["type": "number"],
            "resets_at": ["type": "integer", "description": "When it starts again, in milliseconds since 1970."],
            "warn_at_percent": ["type": "integer"],
            "raise": [
                "type": "object", "properties": ["limit": ["type": "number"], "until": ["type": "integer"]],
            ],
        ],
    ]

    private static let count: JSONLiteral = ["type": "integer"]
}
