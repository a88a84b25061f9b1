import Foundation
import KlingAPI
import Testing

@testable import Gateway

struct OpenAPIDocumentTests {
    private let document: [String: Any]

    init() throws {
        let json = OpenAPIDocument.json(models: TryOnModels(adding: ["kolors-virtual-try-on-v9"]), version: "1.2.3")
        document = try #require(JSONSerialization.jsonObject(with: Data(json)) as? [String: Any])
    }

    private func operations() throws -> [(path: String, method: String, operation: [String: Any])] {
        let paths = try #require(document["paths"] as? [String: [String: Any]])
        return paths.flatMap { path, members in
            members.compactMap { name, value in
                (value as? [String: Any]).map { (path, name, $0) }
            }
        }
    }

    @Test func `the document has exactly the paths and methods of the route table`() throws {
        let described = Set(try operations().map { "\($0.method) \($0.path)" })
        // The upload takes bytes, so only its path is listed, with a description in words.
        let uploads = try #require(document["paths"] as? [String: [String: Any]])["/v1/kling/assets"]
        #expect(uploads?["description"] is String && uploads?["post"] == nil)
        let served = RouteTable.lines.filter { $0.route != .useapiAssets }.flatMap { line in
            line.paths.flatMap { path in
                [
                    line.rules.methods.contains(.get) ? "get \(path)" : nil,
                    line.rules.methods.contains(.post) ? "post \(path)" : nil,
                ].compactMap(\.self)
            }
        }
        #expect(described == Set(served))
    }

    @Test func `each operation has a unique id, its security and its path parameter`() throws {
        let operations = try operations()
        #expect(Set(operations.compactMap { $0.operation["operationId"] as? String }).count == operations.count)
        for (path, method, operation) in operations {
            let needsKey = RouteTable.lines.first { $0.paths.contains(path) }?.rules.needsKey
            #expect((operation["security"] as? [Any])?.isEmpty == (needsKey == false), "\(method) \(path)")
            let parameters = operation["parameters"] as? [[String: Any]] ?? []
            let segments = parameters.filter { $0["in"] as? String == "path" }.compactMap { $0["name"] as? String }
            #expect(path.hasSuffix("{\(segments.joined())}") || !path.contains("{") && segments.isEmpty)
        }
    }

    @Test func `every reference resolves, and no component is unused`() throws {
        var referred: Set<String> = []
        func walk(_ value: Any) {
            if let object = value as? [String: Any] {
                if let reference = object["$ref"] as? String { referred.insert(reference) }
                object.values.forEach(walk)
            }
            if let array = value as? [Any] { array.forEach(walk) }
        }
        walk(document)
        let components = try #require(document["components"] as? [String: [String: Any]])
        let known = Set(
            components.filter { $0.key != "securitySchemes" }.flatMap { kind, members in
                members.keys.map { "#/components/\(kind)/\($0)" }
            })
        #expect(referred == known)
    }

    @Test func `the document lists the configured models`() throws {
        let text = String(decoding: try JSONSerialization.data(withJSONObject: document), as: UTF8.self)
        #expect(text.contains("kolors-virtual-try-on-v9") && text.contains("kolors-virtual-try-on-v1-5"))
        #expect((document["info"] as? [String: Any])?["version"] as? String == "1.2.3")
    }

    /// openapi-python-client drops the operations of an enum with several types, and of an array without `items`.
    @Test func `generators of clients keep every schema`() throws {
        func walk(_ value: Any, _ path: String) {
            if let object = value as? [String: Any] {
                let kinds = Set((object["enum"] as? [Any] ?? []).filter { !($0 is NSNull) }.map { $0 is String })
                #expect(kinds.count <= 1, "\(path): an enum of several types")
                if object["type"] as? String == "array" { #expect(object["items"] != nil, "\(path): no items") }
                for (name, member) in object { walk(member, path + "/" + name) }
            }
            if let array = value as? [Any] { for member in array { walk(member, path) } }
        }
        walk(document, "")
    }

    @Test func `every create links to the query of its task, in its own shape and at its own prefix`() throws {
        let operations = try operations()
        let names = Set(operations.compactMap { $0.operation["operationId"] as? String })
        var linked: [String: String] = [:]
        for (path, _, operation) in operations {
            let success = (operation["responses"] as? [String: [String: Any]])?["200"]
            guard let link = (success?["links"] as? [String: [String: Any]])?["query"] else { continue }
            linked[path] = link["operationId"] as? String
        }
        #expect(Set(linked.values).isSubset(of: names))
        let expected = [
            "/v1/images/kolors-virtual-try-on": "queryTryOn", "/solutions/virtual_try_on": "querySolutions",
            "/v1/images/edits": "queryTryOn",
        ]
        for (path, query) in expected {
            #expect(linked[path] == query && linked["/kling" + path] == query + "UnderKling")
            #expect(linked["/proxy/kling" + path] == query + "UnderProxy")
        }
        #expect(
            linked["/images/edits"] == "queryTryOn" && linked["/v1/kling/images/virtual-try-on"] == "getVirtualTryOn")
        #expect(linked.count == 11)
    }
}
