internal import HTTPServer

/// The OpenAPI 3.1 document of the administration API, generated from the table of calls.
public enum AdminDocument {
    /// The document as JSON.
    /// - Parameter version: the gateway's version.
    public static func json(version: String) -> [UInt8] { literal(version: version).json }

    static func literal(version: String) -> JSONLiteral {
        [
            "openapi": "3.1.0",
            "info": [
                "title": "Kling Gateway: administration", "version": .string(version),
                "summary": "What operators of the gateway see and change.",
                "description": .string(description),
            ],
            "servers": [["url": "/"]],
            "security": [["token": []]],
            "paths": paths,
            "components": [
                "schemas": ["Error": error],
                "securitySchemes": [
                    "token": [
                        "type": "http", "scheme": "bearer",
                        "description": "The configured `admin.token`. Without one, peers on this machine need none.",
                    ]
                ],
            ],
        ]
    }

    private static let description = """
        Served by the operators' listener (`admin.listen`). HEAD works wherever GET does. Members and parameters that a \
        call does not know are refused, and null is accepted only where it is listed. Times are milliseconds since 1970. \
        Every answer has an `X-Request-Id`.
        """

    private static let error = AdminSchemas.object(
        [
            ("error", AdminSchemas.text("What is wrong, and how to fix it.")),
            ("code", AdminSchemas.integer("The status.")),
        ],
        optional: [("param", AdminSchemas.text("The member or parameter that is wrong."))])

    /// The paths in the order of the table; a path's methods are together.
    private static var paths: JSONLiteral {
        var paths: [JSONLiteral.Member] = []
        for route in AdminAPI.routes {
            let method = JSONLiteral.Member(name: route.method.rawValue.lowercased(), value: operation(route))
            if let known = paths.firstIndex(where: { $0.name == route.path }) {
                paths[known].value = paths[known].value.adding(.object([method]))
            } else {
                paths.append(.init(name: route.path, value: .object([method])))
            }
        }
        return .object(paths)
    }

    private static func operation(_ route: AdminRoute) -> JSONLiteral {
        var literal: JSONLiteral = ["operationId": .string(route.name), "summary": .string(route.summary)]
        if !route.details.isEmpty { literal = literal.adding(["description": .string(route.details)]) }
        let parameters = route.identifiers.map(identifier) + route.query.map(parameter)
        if !parameters.isEmpty { literal = literal.adding(["parameters": .array(parameters)]) }
        if let body = body(route) { literal = literal.adding(["requestBody": body]) }
        return literal.adding(["responses": responses(route)])
    }

    private static func identifier(_ name: String) -> JSONLiteral {
        ["name": .string(name), "in": "path", "required": true, "schema": ["type": "string", "minLength": 1]]
    }

    private static func parameter(_ parameter: AdminMember) -> JSONLiteral {
        let literal: JSONLiteral = [
            "name": .string(parameter.name), "in": "query", "required": .bool(parameter.isRequired),
            "description": .string(parameter.description),
            // An empty value counts as none.
            "schema": .object(parameter.schema.members.filter { !["description", "minLength"].contains($0.name) }),
        ]
        // Words are separated by commas.
        guard case .words = parameter.kind else { return literal }
        return literal.adding(["style": "form", "explode": false])
    }

    private static func body(_ route: AdminRoute) -> JSONLiteral? {
        switch route.body {
        case .none: nil
        case .own(let schema, _): ["required": true, "content": ["application/json": ["schema": schema]]]
        case .oneOf(let members):
            [
                "required": true,
                "content": [
                    "application/json": [
                        "schema": AdminMember.schema(of: members).adding(["minProperties": 1, "maxProperties": 1])
                    ]
                ],
            ]
        case .members(let members):
            [
                "required": .bool(members.contains(where: \.isRequired)),
                "content": ["application/json": ["schema": AdminMember.schema(of: members)]],
            ]
        }
    }

    private static func responses(_ route: AdminRoute) -> JSONLiteral {
        let content = route.answer.mediaTypes.map { type in
            let schema: JSONLiteral = type == "application/json" ? route.answer.schema : ["type": "string"]
            return JSONLiteral.Member(name: type, value: ["schema": schema])
        }
        let success: JSONLiteral = ["description": .string(route.answer.description), "content": .object(content)]
        var refusals = route.refusals.merging([
            401: "The admin token is missing or wrong.", 403: "It may not be called from there.",
            503: "The store cannot be used now, or only a running gateway can do this.",
        ]) { own, _ in own }
        let takesValues = if case .none = route.body { !route.query.isEmpty } else { true }
        if takesValues { refusals[400] = refusals[400] ?? "A member or parameter is unknown or has a wrong value." }
        let refused = refusals.sorted { $0.key < $1.key }.map { status, description in
            JSONLiteral.Member(
                name: String(status),
                value: [
                    "description": .string(description),
                    "content": ["application/json": ["schema": ["$ref": "#/components/schemas/Error"]]],
                ])
        }
        return .object([.init(name: String(route.answer.status), value: success)] + refused)
    }
}
