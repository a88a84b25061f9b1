internal import HTTPServer

/// One method of one path of the administration API. The router and the OpenAPI document are made of these.
struct AdminRoute: Sendable {
    /// Answers a checked request.
    typealias Handler = @Sendable (AdminRequest, AdminParts) async throws -> AdminReply

    /// What the body must be.
    enum Body: Sendable {
        /// There is none; a JSON object without members is accepted too.
        case none
        /// A JSON object with these members.
        case members([AdminMember])
        /// A JSON object with exactly one of these members.
        case oneOf([AdminMember])
        /// JSON that the handler checks itself, of at most so many bytes.
        case own(JSONLiteral, limit: Int)
    }

    /// What the answer is if the call succeeds.
    struct Answer: Sendable {
        var status = 200
        var description: String
        var mediaTypes = ["application/json"]
        /// The JSON Schema of an answer that is JSON.
        var schema: JSONLiteral = [:]
    }

    let method: HTTPMethod
    /// A segment in braces matches any one segment.
    let path: String
    /// The name of the call: its `operationId`.
    let name: String
    /// One line.
    let summary: String
    /// What else there is to know, as CommonMark.
    var details = ""
    var query: [AdminMember] = []
    var body = Body.none
    let answer: Answer
    /// The refusals that the call may answer with, besides those that every call has, with the reason.
    var refusals: [Int: String] = [:]
    let handle: Handler

    /// The largest body of a call that does not say otherwise, in bytes.
    static let bodyLimit = 1 << 20

    /// The largest body, in bytes.
    var bodyLimit: Int { if case .own(_, let limit) = body { limit } else { Self.bodyLimit } }

    /// The names of the segments in braces.
    var identifiers: [String] {
        path.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
    }
}

/// A route that was found for a path.
struct AdminMatch: Sendable {
    let route: AdminRoute
    /// The decoded segments in braces, by name.
    let identifiers: [String: String]

    /// Finds the route of a call.
    /// - Throws: 404 or 405.
    static func find(_ method: HTTPMethod, _ path: String, in routes: [AdminRoute]) throws(AdminError) -> AdminMatch {
        let method = method == .head ? .get : method
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        var others: [HTTPMethod] = []
        for route in routes {
            guard let identifiers = identifiers(segments, route.path) else { continue }
            if route.method == method { return AdminMatch(route: route, identifiers: identifiers) }
            others.append(route.method)
        }
        if others.isEmpty { throw .notFound }
        throw .wrongMethod(others.map { $0 == .get ? "GET, HEAD" : $0.rawValue }.joined(separator: ", "))
    }

    /// The segments in braces; nil if the path does not match.
    private static func identifiers(_ segments: ArraySlice<Substring>, _ pattern: String) -> [String: String]? {
        let names = pattern.split(separator: "/")
        guard names.count == segments.count else { return nil }
        var identifiers: [String: String] = [:]
        for (segment, name) in zip(segments, names) {
            guard name.hasPrefix("{") else {
                if segment == name { continue }
                return nil
            }
            guard let text = PercentDecoding.text(segment, isPath: true),
                AdminValues.Value.isPlain(text, 1...AdminMember.longestText)
            else { return nil }
            identifiers[String(name.dropFirst().dropLast())] = text
        }
        return identifiers
    }
}
