internal import KlingAPI

/// Kling's bodies as JSON Schema.
enum KlingSchemas {
    static func all(_ models: TryOnModels) -> JSONLiteral {
        let schemas: JSONLiteral = [
            "Picture": picture, "Base64Picture": base64Picture, "TryOnRequest": request(models), "Task": task,
            "TaskAnswer": envelope(["$ref": "#/components/schemas/Task"]),
            "TaskListAnswer": envelope(["type": "array", "items": ["$ref": "#/components/schemas/Task"]]),
            "CostsAnswer": envelope(costs),
            "CallbackAnswer": [
                "type": "object", "required": ["code", "message", "request_id"], "properties": answerMembers,
            ],
        ]
        return schemas.adding(SolutionsSchemas.all)
    }

    /// Matches a URL that is passed on to Kling. An expression cannot tell which international names are valid.
    static let urlPattern = #"^[Hh][Tt][Tt][Pp][Ss]?://\#(label)(?:\.\#(label))*(?::[0-9]{1,5})?(?:[/?#][\s\S]*)?$"#
    /// A part of a host name between two dots.
    private static let label = #"[A-Za-z0-9_\-]{1,63}"#
    /// Matches base64 that starts like a JPEG, PNG or WebP and is long enough for a header.
    private static let base64Pattern =
        #"^\s*(?:[Dd][Aa][Tt][Aa]:[^,]*;base64,)?(?=[A-Za-z0-9+/_\-\s]{15,}={0,2}\s*$)(?:[/_]9j[/_]|iVBORw0KGgo|UklGR.{6}XRUJQ)"#

    private static let picture: JSONLiteral = [
        "description": .string(
            """
            An `http(s)` URL, or base64 of a JPEG, PNG or WebP file: at most \(TryOn.maxPictureBytes) bytes decoded, \
            at least \(TryOn.minPictureSide) × \(TryOn.minPictureSide) pixels. A `data:` prefix, line breaks, URL-safe \
            letters and missing padding are repaired.
            """),
        "type": "string",
        "anyOf": [["title": "URL", "pattern": .string(urlPattern)], ["$ref": "#/components/schemas/Base64Picture"]],
    ]

    private static let base64Picture: JSONLiteral = [
        "title": "Base64", "type": "string", "contentEncoding": "base64", "pattern": .string(base64Pattern),
    ]

    /// Rules that a schema of a single value cannot express are in the description, not among the properties: an id
    /// must be new, an address must be allowed, and `model` only counts without `model_name`.
    private static func request(_ models: TryOnModels) -> JSONLiteral {
        let names = models.names.map(JSONLiteral.string)
        return [
            "description": .string(
                """
                - `external_task_id` (string): your own id for the task, 1 to \(TryOn.maxExternalTaskIDBytes) bytes \
                without control characters. It must be unique among your tasks. You can query the task by it.
                - `callback_url` (string): an `http(s)` URL on the public internet, at most \
                \(TryOn.maxCallbackURLBytes) bytes. It is called for each state of the task, with a Standard Webhooks \
                signature.
                - `model` (string): used if `model_name` is absent.
                - `keep_face`, `keep_pose`, `keep_background` (boolean): true by default. Only accounts that speak \
                Kling's newer API can change them.
                - `watermark` (boolean): whether to make a picture with a watermark as well. Only such accounts can.

                `null` and `""` count as absent. Unknown members are passed on to Kling.
                """),
            "type": "object", "required": ["human_image", "cloth_image"],
            "properties": [
                "model_name": [
                    "description": "The model. The first one in the list is the default.",
                    "enum": .array(names + ["", nil]),
                    "default": .string(TryOnModels.defaultModel),
                ],
                "human_image": ["$ref": "#/components/schemas/Picture"],
                "cloth_image": ["$ref": "#/components/schemas/Picture"],
            ],
            "additionalProperties": true,
        ]
    }

    private static let answerMembers: JSONLiteral = [
        "code": ["type": "integer", "const": 0], "message": ["type": "string"], "request_id": ["type": "string"],
    ]

    static func envelope(_ data: JSONLiteral) -> JSONLiteral {
        [
            "type": "object", "required": ["code", "message", "request_id", "data"],
            "properties": answerMembers.adding(["data": data]),
        ]
    }

    private static let costs: JSONLiteral = [
        "type": "object", "required": ["code", "msg", "resource_pack_subscribe_infos"],
        "properties": [
            "code": ["type": "integer", "const": 0], "msg": ["type": "string"],
            "resource_pack_subscribe_infos": ["type": "array", "items": ["type": "object"], "maxItems": 0],
        ],
    ]

    private static let task: JSONLiteral = [
        "description": "The task as Kling reports it. It may have members that are not listed here.",
        "type": "object", "required": ["task_id", "task_status", "created_at", "updated_at"],
        "properties": [
            "task_id": ["type": "string"],
            "task_status": [
                "type": "string",
                "description": "`submitted`, `processing`, `succeed` or `failed`; other words count as unfinished.",
            ],
            "task_status_msg": ["type": "string", "description": "Why the task has failed."],
            "created_at": ["type": "integer", "description": "Milliseconds since 1970."],
            "updated_at": ["type": "integer", "description": "Milliseconds since 1970."],
            "final_unit_deduction": ["type": "string", "description": "What the task has cost: a decimal number."],
            "task_info": [
                "type": ["object", "null"],
                "properties": ["external_task_id": ["type": "string", "description": "Your own id for the task."]],
            ],
            "task_result": [
                "type": ["object", "null"],
                "properties": [
                    "images": [
                        "type": "array",
                        "items": [
                            "type": "object", "required": ["url"],
                            "properties": [
                                "index": ["type": "integer"],
                                "url": [
                                    "type": "string",
                                    "description": "The URL of the picture, which Kling keeps for 30 days.",
                                ],
                            ],
                        ],
                    ]
                ],
            ],
        ],
    ]
}
