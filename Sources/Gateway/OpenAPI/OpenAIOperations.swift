internal import KlingAPI

/// The OpenAPI operations in OpenAI's shape.
enum OpenAIOperations {
    static let models = OperationDescription(
        name: "listModels", summary: "List the models", details: "",
        success: .init(description: "The models that the key may use.", content: .init(schema: modelList)),
        causes: .withKey)

    static let model = OperationDescription(
        name: "getModel", summary: "Look a model up", details: "",
        parameters: [KlingOperations.segment("id", "The model's name.")],
        success: .init(description: "The model.", content: .init(schema: SchemaParts.reference("Model"))),
        causes: .withKey.union([.unlistedModel, .unknownPath]))

    static let edit = OperationDescription(
        name: "editImage", summary: "Try a garment on a person, and wait for the picture",
        details: """
            What an SDK tries again by itself (`x-stainless-retry-count` above 0) attaches to the tasks that were made \
            before. Every task can be queried on Kling's paths.
            """,
        body: [
            .init(schema: SchemaParts.reference("ImageEdit"), example: example),
            .init(mediaType: "multipart/form-data", schema: SchemaParts.reference("ImageEditForm"), example: example),
        ],
        success: .init(
            description: "The pictures, or with `stream` events: comments while they are made, then an "
                + "`image_edit.completed` for each, as OpenAI documents it, or an `error` with the error's object.",
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
        First the person, then a garment; or, as a third picture, an upper and a lower one, which the gateway then makes one \
        picture: it must be able to fetch them where they are URLs, so that no schema says which are taken. `images` is \
        another name of `image`.

        - `external_task_id`, `callback_url` (string): as in Kling's own request.

        `prompt`, `size` and whatever else OpenAI's \
        clients send is accepted, and means nothing here.
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
            "description": .string("\(description)\n\nPictures are files, or texts: URLs or base64."),
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
            "n": SchemaParts.number(ImageEdit.counts, description: "How many pictures, each by a task of its own."),
            "response_format": [
                "description": "What the answer has; without it both.", "enum": ["url", "b64_json", "", nil],
            ],
            "stream": SchemaParts.flag(
                "Whether the answer is a stream of events, which always has the pictures themselves."),
            "user": SchemaParts.text(upTo: 512, description: "Your name for whom you ask"),
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
            "task_id": ["type": "string", "description": "By which the first task can be queried."],
            "task_ids": ["type": "array", "items": ["type": "string"], "description": "Of several tasks."],
            "job_id": ["type": "integer"],
        ],
    ]
}
