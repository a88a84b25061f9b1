internal import KlingAPI

/// useapi.net's bodies as JSON Schema.
enum UseapiSchemas {
    static func all(_ models: TryOnModels) -> JSONLiteral {
        [
            "VirtualTryOn": request(models), "VirtualTryOnForm": SchemaParts.forForm(request(models)),
            "Job": job, "Work": work,
        ]
    }

    private static let description = """
        One of `dressInput`, `upperInput` and `lowerInput`; or `upperInput` and `lowerInput` together. The gateway \
        then combines the two into one picture; it must be able to fetch those that are URLs, which the schema cannot \
        express.

        - `replyUrl` (string): an `http(s)` URL on the public internet to which the job's progress is sent, in the \
        form of a query's answer.
        - `email` (string): the name of the upstream account that runs the job.

        `null` and `""` count as absent. Unknown members are ignored.
        """

    private static func request(_ models: TryOnModels) -> JSONLiteral {
        let picture = SchemaParts.reference("Picture")
        let none = SchemaParts.none
        return [
            "description": .string(description), "type": "object", "required": ["humanImage"],
            "properties": [
                "humanImage": picture,
                "imageCount": SchemaParts.number(UseapiRequest.imageCounts, description: "The number of pictures."),
                "maxJobs": SchemaParts.number(
                    UseapiRequest.jobCounts, description: "How many of your jobs may run at once, including this one."),
                "replyRef": SchemaParts.text(
                    upTo: UseapiRequest.longestText,
                    description: "Your reference for the job, repeated in each call to `replyUrl`"),
                "model": SchemaParts.model(models, default: UseapiRequest.defaultModel),
            ],
            "anyOf": [
                garments(["dressInput": picture, "upperInput": none, "lowerInput": none], ["dressInput"]),
                garments(["dressInput": none, "upperInput": picture, "lowerInput": none], ["upperInput"]),
                garments(["dressInput": none, "upperInput": none, "lowerInput": picture], ["lowerInput"]),
            ],
        ]
    }

    private static func garments(_ properties: JSONLiteral, _ required: JSONLiteral) -> JSONLiteral {
        ["properties": properties, "required": required]
    }

    private static let status: JSONLiteral = [
        "status": ["type": "integer", "description": "5, 10, 50 or 99."],
        "status_name": ["enum": ["submitted", "processing", "failed", "succeed"]],
        "status_final": ["type": "boolean", "description": "Whether the job or picture is final."],
    ]

    private static let times: JSONLiteral = [
        "createTime": ["type": "integer", "description": "Milliseconds since 1970."],
        "updateTime": ["type": "integer", "description": "Milliseconds since 1970."],
    ]

    private static let job: JSONLiteral = [
        "type": "object", "required": ["task", "works", "status", "status_name", "status_final", "message"],
        "properties": status.adding([
            "task": [
                "type": "object", "required": ["id", "status", "status_name", "status_final", "taskInfo"],
                "properties": status.adding(times).adding([
                    "id": ["type": "integer"], "userId": ["type": "integer"], "type": ["type": "string"],
                    "scene": ["type": "string"], "taskInfo": ["type": "object"], "favored": ["type": "boolean"],
                    "deleted": ["type": "boolean"], "viewed": ["type": "boolean"],
                ]),
            ],
            "works": ["type": "array", "items": SchemaParts.reference("Work")],
            "etaTime": ["type": "integer"], "message": ["type": "string", "description": "Why pictures have failed."],
            "limitation": ["type": "object"], "userPoints": ["type": "object"], "userTickets": ["type": "object"],
            "editProject": ["type": "null"],
        ]),
    ]

    private static let work: JSONLiteral = [
        "description": "A picture that was made.",
        "type": "object", "required": ["workId", "taskId", "contentType", "resource"],
        "properties": status.adding(times).adding([
            "workId": ["type": "integer"], "taskId": ["type": "integer"], "type": ["type": "string"],
            "contentType": ["const": "image"], "resource": resource, "cover": resource,
        ]),
    ]

    private static let resource: JSONLiteral = [
        "type": "object", "required": ["resource"],
        "properties": [
            "resource": ["type": "string", "description": "The picture's URL."], "height": ["type": "integer"],
            "width": ["type": "integer"], "duration": ["type": "integer"],
        ],
    ]
}
