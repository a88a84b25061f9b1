internal import KlingAPI

/// What the document says of the routes in OpenAI's shape.
enum OpenAIOperations {
    static let models = OperationDescription(
        name: "listModels", summary: "List the models", details: "",
        success: .init(
            description: "Every model.",
            content: .init(schema: [
                "type": "object", "required": ["object", "data"],
                "properties": [
                    "object": ["const": "list"],
                    "data": ["type": "array", "items": ["$ref": "#/components/schemas/Model"]],
                ],
            ])),
        causes: .withKey)

    static let model = OperationDescription(
        name: "getModel", summary: "Look a model up", details: "",
        parameters: [KlingOperations.segment("id", "The model's name.")],
        success: .init(description: "The model.", content: .init(schema: ["$ref": "#/components/schemas/Model"])),
        causes: .withKey.union([.unlistedModel, .unknownPath]))

    static let schemas: JSONLiteral = [
        "Model": [
            "type": "object", "required": ["id", "object", "created", "owned_by"],
            "properties": [
                "id": ["type": "string"], "object": ["const": "model"],
                "created": ["type": "integer", "description": "Seconds since 1970."], "owned_by": ["type": "string"],
            ],
        ]
    ]
}
