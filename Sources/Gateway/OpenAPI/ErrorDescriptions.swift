internal import KlingAPI

/// The descriptions of errors, generated from the table of causes.
enum ErrorDescriptions {
    /// The responses for `causes`, each with its status or `4XX`.
    /// - Parameter needsKey: whether the responses may have the header fields of a key's limits.
    static func responses(_ causes: Set<Cause>, _ shape: Shape, needsKey: Bool) -> [(status: String, JSONLiteral)] {
        let byStatus = Dictionary(grouping: causes.subtracting([.refused])) { $0.row.status }
        var responses = byStatus.sorted { $0.key < $1.key }.map { status, causes in
            (String(status), response(causes.sorted { $0.rawValue < $1.rawValue }, status, shape, needsKey))
        }
        if causes.contains(.refused) { responses.append(("4XX", response([.refused], 0, shape, needsKey))) }
        return responses
    }

    private static func response(_ causes: [Cause], _ status: Int, _ shape: Shape, _ needsKey: Bool) -> JSONLiteral {
        var headers: [HeaderDescription] = [.requestID]
        if status == 429 || status == 503 { headers.append(.retryAfter) }
        if causes.contains(where: \.row.isFinal) { headers.append(.shouldRetry) }
        if needsKey { headers += HeaderDescription.limits }
        // Final refusals are stored for an `Idempotency-Key`, and so may be unknown outcomes.
        if causes.contains(where: { [.refused, .upstreamFailed, .upstreamTimedOut].contains($0) }) {
            headers.append(.replayed)
        }
        return ResponseDescription.json(
            causes.map { line($0, shape) }.joined(separator: "\n"), headers: headers,
            [.init(schema: ["$ref": "#/components/schemas/\(schemaName(shape))"])])
    }

    private static func line(_ cause: Cause, _ shape: Shape) -> String {
        if cause == .refused || shape == .useapi { return "- \(cause.meaning)" }
        let code = shape == .kling || shape == .solutions ? "\(cause.row.code.rawValue), " : ""
        return "- \(code)`\(cause.row.word)`: \(cause.meaning)"
    }

    private static func schemaName(_ shape: Shape) -> String {
        switch shape {
        case .kling, .solutions: "KlingError"
        case .openAI: "OpenAIError"
        case .useapi: "UseapiError"
        }
    }

    /// The schemas of error bodies, by name.
    static let schemas: JSONLiteral = [
        "ErrorObject": [
            "type": "object", "required": ["message", "type", "param", "code"],
            "properties": [
                "message": ["type": "string", "description": "What is wrong and how to fix it."],
                "type": [
                    "type": "string",
                    "enum": .strings(Set(Cause.allCases.map(\.row.type)).sorted()),
                ],
                "param": [
                    "type": ["string", "null"], "description": "The member, parameter or header in question.",
                ],
                "code": [
                    "type": "string", "description": "A stable word; for refusals by Kling, Kling's code.",
                ],
                "task_id": [
                    "type": "string",
                    "description": "The id of a task that may exist although the request has failed.",
                ],
            ],
        ],
        "KlingError": [
            "type": "object", "required": ["code", "message", "request_id", "error"],
            "properties": [
                "code": ["type": "integer", "description": "Kling's service code."],
                "message": ["type": "string"], "request_id": ["type": "string"],
                "error": ["$ref": "#/components/schemas/ErrorObject"],
            ],
        ],
        "OpenAIError": [
            "type": "object", "required": ["error"],
            "properties": ["error": ["$ref": "#/components/schemas/ErrorObject"]],
        ],
        "UseapiError": [
            "type": "object", "required": ["error", "code"],
            "properties": [
                "error": ["type": "string", "description": "What is wrong and how to fix it."],
                "code": ["type": "integer", "description": "The HTTP status."],
            ],
        ],
    ]
}

/// A response in the document.
enum ResponseDescription {
    static func json(
        _ description: String, headers: [HeaderDescription], _ contents: [OperationDescription.Content]
    ) -> JSONLiteral {
        [
            "description": .string(description),
            "headers": .object(
                headers.map { header in
                    .init(name: header.name, value: ["$ref": "#/components/headers/\(header.name)"])
                }),
            "content": .object(contents.map { .init(name: $0.mediaType, value: ["schema": $0.schema]) }),
        ]
    }
}
