internal import KlingAPI

/// The OpenAPI operations in useapi.net's shape.
enum UseapiOperations {
    static let create = OperationDescription(
        name: "createVirtualTryOn", summary: "Try garments on a person",
        details: "Query the job until its `status_final` is true. It has one task per picture.",
        body: [
            .init(schema: SchemaParts.reference("VirtualTryOn"), example: example),
            .init(
                mediaType: "multipart/form-data", schema: SchemaParts.reference("VirtualTryOnForm"), example: example),
        ],
        success: .init(
            description: "The job is accepted, or waits for its turn.",
            content: .init(schema: SchemaParts.reference("Job")), headers: [.replayed],
            query: .init(operation: "getVirtualTryOn", parameters: ["id": "$response.body#/task/id"])),
        causes: .withTasks)

    private static let example: JSONLiteral = [
        "humanImage": .string(OperationDescription.exampleHost + "person.jpg"),
        "upperInput": .string(OperationDescription.exampleHost + "garment.jpg"),
    ]

    static let task = OperationDescription(
        name: "getVirtualTryOn", summary: "Query a job", details: "",
        parameters: [
            [
                "name": "id", "in": "path", "required": true, "description": "The job's number.",
                "schema": ["type": "integer", "minimum": 0],
            ]
        ],
        success: .init(
            description: "The job.", content: .init(schema: SchemaParts.reference("Job")), headers: [.staleness]),
        causes: .withKey.union([.unknownTask, .unknownPath]))

    static let tasks = OperationDescription(
        name: "listVirtualTryOns", summary: "List your jobs",
        details:
            "The newest job comes first. `email` names the account that runs the jobs. Unknown parameters are ignored.",
        parameters: [
            [
                "name": "contentType", "in": "query", "description": "The kind of result; the gateway only has images.",
                "schema": ["enum": ["video", "image", "audio"]],
            ],
            KlingOperations.number("pageSize", TryOn.pageSizes, default: TryOn.defaultPageSize, "The number of jobs."),
            time("createdBefore"), time("createdAfter"),
        ],
        success: .init(description: "The jobs.", content: .init(schema: history)),
        causes: .withKey.union([.badParameter]))

    /// Described in words only: JSON Schema cannot describe binary content, so requests that a tool derives from a
    /// schema would be refused.
    static let upload: JSONLiteral = [
        "summary": "Upload a picture",
        "description": .string(
            """
            POST the bytes of a JPEG, PNG or WebP, at most \(TryOn.maxPictureBytes) bytes and at least \
            \(TryOn.minPictureSide) × \(TryOn.minPictureSide) pixels, with your key. The answer is `{"status": 3, \
            "url": "...", "message": "", "fileName": "..."}`; its `url` stands for the picture in requests, for a day. \
            Errors are as on the other paths.

            ```
            curl http://localhost:8080/v1/kling/assets \
              -H "Authorization: Bearer $KEY" -H "Content-Type: image/jpeg" --data-binary @person.jpg
            ```
            """),
    ]

    static let download = OperationDescription(
        name: "getAsset", summary: "Get an uploaded picture", details: "",
        parameters: [KlingOperations.segment("name", "The last part of its `url`.")],
        success: .init(description: "The file.", content: .init(mediaType: "image/*", schema: [:])),
        causes: .withKey.union([.unknownPath, .noMemory]))

    private static func time(_ name: String) -> JSONLiteral {
        [
            "name": .string(name), "in": "query", "description": "Milliseconds since 1970, exclusive.",
            "schema": ["type": "integer", "minimum": 0, "maximum": .integer(1 << 53)],
        ]
    }

    private static let history: JSONLiteral = [
        "type": "object", "required": ["history"],
        "properties": ["history": ["type": "array", "items": SchemaParts.reference("Job")]],
    ]
}
