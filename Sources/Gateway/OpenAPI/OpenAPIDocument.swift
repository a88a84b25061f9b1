public import KlingAPI

/// The OpenAPI 3.1 document of everything that clients can request, generated from the table of routes.
public enum OpenAPIDocument {
    /// The document of a gateway with these models.
    /// - Parameter version: the gateway's version.
    public static func json(models: TryOnModels, version: String) -> [UInt8] {
        literal(models: models, version: version).json
    }

    static func literal(models: TryOnModels, version: String) -> JSONLiteral {
        var responses = SharedResponses()
        let paths = paths(&responses)
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "Kling Gateway", "version": .string(version),
                "summary": "Kling's virtual try-on, in several API formats.",
                "description": .string(description),
            ],
            "servers": [["url": "/"]],
            "tags": .array(Shape.allCases.map { ["name": .string($0.title)] }),
            "paths": paths,
            "components": [
                "schemas": KlingSchemas.all(models).adding(OpenAIOperations.schemas(models))
                    .adding(UseapiSchemas.all(models)).adding(ErrorDescriptions.schemas),
                "responses": .object(responses.members),
                "headers": headers,
                "securitySchemes": ["key": key],
            ],
        ]
    }

    private static let description = """
        Every answer has an `X-Request-Id`: the request's own, if it has 1 to 128 visible ASCII characters. The only \
        exception is the 503 without a body to a connection for which there is no room. HEAD works wherever GET does. \
        A method that a path does not support gets a 405 with `Allow`. Repeated and trailing slashes in a path are \
        ignored.
        """

    private static let key: JSONLiteral = [
        "type": "http", "scheme": "bearer",
        "description": .string(
            """
            A key of the gateway, or a token that the client signs: a JSON Web Token, signed by HS256 with the secret \
            key that belongs to the access key in `iss`, with an `exp` at most 24 hours ahead. Without \
            `Authorization`, `X-API-Key` is read, which contains only the key or token.
            """),
    ]

    private static let headers = JSONLiteral.object(
        HeaderDescription.all.map { header in
            let description: JSONLiteral = ["description": .string(header.description), "schema": header.schema]
            let required: JSONLiteral = header.isRequired ? ["required": true] : [:]
            return .init(name: header.name, value: description.adding(required))
        })

    private static func paths(_ shared: inout SharedResponses) -> JSONLiteral {
        var paths: [JSONLiteral.Member] = []
        for line in RouteTable.lines {
            for (index, path) in line.paths.enumerated() {
                var methods: [JSONLiteral.Member] = []
                for (method, operation) in line.operations {
                    var operation = operation
                    // The same operation under another prefix needs an `operationId` of its own.
                    if index > 0 { operation.isRepeated(at: path) }
                    methods.append(.init(name: method, value: literal(operation, line.rules, &shared)))
                }
                paths.append(.init(name: path, value: line.words.adding(.object(methods))))
            }
        }
        return .object(paths)
    }

    private static func literal(
        _ operation: OperationDescription, _ rules: RouteRules, _ shared: inout SharedResponses
    ) -> JSONLiteral {
        var literal: JSONLiteral = [
            "operationId": .string(operation.name), "summary": .string(operation.summary),
            "tags": [.string(rules.shape.title)],
        ]
        if !operation.details.isEmpty { literal = literal.adding(["description": .string(operation.details)]) }
        literal = literal.adding(["security": rules.needsKey ? [["key": []]] : []])
        if !operation.parameters.isEmpty { literal = literal.adding(["parameters": .array(operation.parameters)]) }
        if !operation.body.isEmpty {
            let content = operation.body.map { body in
                let example = body.example.map { JSONLiteral.object([.init(name: "example", value: $0)]) } ?? [:]
                let schema: JSONLiteral = ["schema": body.schema]
                return JSONLiteral.Member(name: body.mediaType, value: schema.adding(example))
            }
            literal = literal.adding(["requestBody": ["required": true, "content": .object(content)]])
        }
        return literal.adding(["responses": responses(operation, rules, &shared)])
    }

    private static func responses(
        _ operation: OperationDescription, _ rules: RouteRules, _ shared: inout SharedResponses
    ) -> JSONLiteral {
        let limits = rules.needsKey ? HeaderDescription.limits : []
        var success = ResponseDescription.json(
            operation.success.description, headers: [.requestID] + operation.success.headers + limits,
            [operation.success.content, operation.success.otherContent].compactMap(\.self))
        if let query = operation.success.query {
            let link: JSONLiteral = ["operationId": .string(query.operation), "parameters": query.parameters]
            success = success.adding(["links": ["query": link]])
        }
        var responses = [JSONLiteral.Member(name: "200", value: success)]
        let errors = ErrorDescriptions.responses(operation.causes, rules.shape, needsKey: rules.needsKey)
        for (status, response) in errors {
            responses.append(.init(name: status, value: shared.reference(to: response, "\(rules.shape)\(status)")))
        }
        return .object(responses)
    }
}

/// Responses that several operations share.
private struct SharedResponses {
    private(set) var members: [JSONLiteral.Member] = []

    /// Returns a reference to `response`, which is stored as `name` or `name` with a suffix.
    mutating func reference(to response: JSONLiteral, _ name: String) -> JSONLiteral {
        if let known = members.first(where: { $0.value == response && $0.name.hasPrefix(name) }) {
            return Self.reference(known.name)
        }
        let count = members.count { $0.name.hasPrefix(name) }
        let free = count == 0 ? name : "\(name)-\(count + 1)"
        members.append(.init(name: free, value: response))
        return Self.reference(free)
    }

    private static func reference(_ name: String) -> JSONLiteral { ["$ref": "#/components/responses/\(name)"] }
}

extension OperationDescription {
    /// Gives the operation, and the query that can follow it, the names that they have at another path.
    fileprivate mutating func isRepeated(at path: String) {
        switch path.split(separator: "/").first {
        case "kling": rename(adding: "UnderKling")
        case "proxy": rename(adding: "UnderProxy")
        // Tasks have no path without a version.
        default: name += "WithoutVersion"
        }
    }

    private mutating func rename(adding suffix: String) {
        name += suffix
        success.query = success.query.map { Link(operation: $0.operation + suffix, parameters: $0.parameters) }
    }
}
