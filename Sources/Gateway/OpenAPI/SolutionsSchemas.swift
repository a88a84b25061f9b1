internal import KlingAPI

/// The bodies of Kling's newer API as JSON Schema.
enum SolutionsSchemas {
    static let all: JSONLiteral = [
        "SolutionsRequest": request, "SolutionsList": list, "SolutionsTask": task,
        "SolutionsCreated": KlingSchemas.envelope(created),
        "SolutionsAnswer": KlingSchemas.envelope([
            "type": "array", "items": ["$ref": "#/components/schemas/SolutionsTask"],
        ]),
        "SolutionsPage": KlingSchemas.envelope(page),
    ]

    private static func content(_ type: String) -> JSONLiteral {
        [
            "type": "object", "required": ["type", "url"],
            "properties": [
                "type": ["const": .string(type)],
                "url": ["type": "string", "pattern": .string(KlingSchemas.urlPattern)],
            ],
        ]
    }

    private static let request: JSONLiteral = [
        "description": .string(
            """
            `contents` has one picture of each type, in either order, by its URL: JPEG, PNG or WebP.

            - `settings` (object): `keep_face`, `keep_pose` and `keep_background`, each true by default. Only accounts \
            that speak Kling's newer API can change them.
            - `options` (object): `external_task_id`, your own id for the task, 1 to \(TryOn.maxExternalTaskIDBytes) \
            bytes without control characters, unique among your tasks; `callback_url`, an `http(s)` URL on the public \
            internet that is called for each state of the task, with a Standard Webhooks signature; and `watermark`, \
            an object whose `enabled` asks for a picture with a watermark as well.

            `null` counts as absent. Unknown members are ignored.
            """),
        "type": "object", "required": ["contents"],
        "properties": [
            "contents": [
                "type": "array", "minItems": 2, "maxItems": 2,
                "items": ["anyOf": [content("person_image"), content("product_image")]],
                "allOf": [
                    ["contains": ["properties": ["type": ["const": "person_image"]], "required": ["type"]]],
                    ["contains": ["properties": ["type": ["const": "product_image"]], "required": ["type"]]],
                ],
            ]
        ],
    ]

    private static let time: JSONLiteral = [
        "type": "integer", "minimum": 0, "maximum": 99_999_999_999_999, "description": "Milliseconds since 1970.",
    ]

    private static let list: JSONLiteral = [
        "description": .string(
            """
            All members may be left out, or be `null`:

            - `start_time`, `end_time` (integer): milliseconds since 1970, the former inclusive, the latter exclusive; \
            by default the last 30 days.
            - `cursor` (string): the `next_cursor` of the previous page.
            - `limit` (integer): \(Solutions.limits.lowerBound) to \(Solutions.limits.upperBound), \
            \(Solutions.defaultLimit) by default.
            - `filters` (array): one object whose `key` is `status` and whose `values` are any of `submitted`, \
            `processing`, `succeed` and `failed`.
            """),
        "type": "object",
    ]

    private static let created: JSONLiteral = [
        "type": "object", "required": ["task_id", "status"],
        "properties": [
            "task_id": ["type": "string"], "status": ["type": "string"], "create_time": time, "update_time": time,
            "external_id": ["type": "string"],
        ],
    ]

    private static let task: JSONLiteral = [
        "type": "object", "required": ["id", "status", "outputs", "billing"],
        "properties": [
            "id": ["type": "string"],
            "status": [
                "type": "string",
                "description": "`submitted`, `processing`, `succeed` or `failed`; other words count as unfinished.",
            ],
            "message": ["type": "string", "description": "Why the task has failed."], "create_time": time,
            "update_time": time, "external_id": ["type": "string"],
            "outputs": [
                "type": "array",
                "items": [
                    "type": "object", "required": ["type", "url"],
                    "properties": [
                        "type": ["type": "string"], "url": ["type": "string"], "watermark_url": ["type": "string"],
                    ],
                ],
            ],
            "billing": ["type": "array", "items": ["type": "object"]],
        ],
    ]

    private static let page: JSONLiteral = [
        "type": "object", "required": ["result", "count", "next_cursor", "has_more"],
        "properties": [
            "result": ["type": "array", "items": ["$ref": "#/components/schemas/SolutionsTask"]],
            "count": ["type": "integer"], "next_cursor": ["type": "string"], "has_more": ["type": "boolean"],
        ],
    ]
}
