import Base
import Foundation
import HTTPServer
import TaskStore
import TestKit
import Testing

@testable import Gateway

/// Every call of the administration API, by the table that the router and the document are made of.
struct AdminRouteTests {
    private let folder: TemporaryFolder
    private let api: AdminAPI

    init() throws {
        folder = try TemporaryFolder()
        let store = try SQLiteTaskStore.open(path: folder.path("gateway.db"))
        let vault = Vault(try MasterKey(Secret("the-master-key-of-the-test-0123456789")))
        api = AdminAPI(
            AdminParts(
                store: store, storeIdentity: "1", version: "0", upstreams: [], vault: { vault },
                callbacks: NoReceivers(), userAgent: "test"))
    }

    private func answer(
        _ method: HTTPMethod, _ path: String, query: String? = nil, body: String = ""
    ) async -> (status: Int, json: [String: Any], headers: [String: String]) {
        let reply = await api.answer(
            AdminCall(
                method, path, query: query, body: Bytes(Array(body.utf8)), by: AdminActor(who: "token", from: "::1")))
        guard case .bytes(let bytes) = reply.body else { return (reply.status, [:], [:]) }
        let json = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
        return (reply.status, json ?? [:], Dictionary(reply.headers.map { ($0.name, $0.value) }) { $1 })
    }

    /// A path of the route, with a tenant's name or an id that nothing has.
    private func path(_ route: AdminRoute) -> String {
        route.path.replacing(/\{\w+\}/, with: "nothing")
    }

    private static let names = AdminAPI.routes.map(\.name)

    private func route(_ name: String) throws -> AdminRoute {
        try #require(AdminAPI.routes.first { $0.name == name })
    }

    @Test func `every call has a name, a place and a summary of its own`() {
        let routes = AdminAPI.routes
        #expect(Set(routes.map(\.name)).count == routes.count)
        #expect(Set(routes.map { "\($0.method) \($0.path)" }).count == routes.count)
        #expect(Set(routes.map(\.summary)).count == routes.count)
        #expect(routes.allSatisfy { $0.path.hasPrefix(AdminAPI.prefix) && $0.summary.hasSuffix(".") })
    }

    @Test(arguments: names) func `a method that a path does not have is answered with those that it has`(
        name: String
    ) async throws {
        let route = try route(name)
        let path = path(route)
        let refused = await answer(.delete, path)
        #expect(refused.status == 405 && refused.json["code"] as? Int == 405)
        let allowed = try #require(refused.headers["Allow"]).split(separator: ", ").map(String.init)
        #expect(allowed.contains(route.method.rawValue))
        #expect(allowed.contains("HEAD") == allowed.contains("GET"))
        #expect(await answer(route.method, path + "/x/y/z").status == 404)
    }

    @Test(arguments: names) func `a parameter that a call does not know is refused by its name`(
        name: String
    ) async throws {
        let route = try route(name)
        let refused = await answer(route.method, path(route), query: "colour=red")
        #expect(refused.status == 400 && refused.json["param"] as? String == "colour")
        let text = try #require(refused.json["error"] as? String)
        for parameter in route.query { #expect(text.contains(parameter.name), "\(text)") }
    }

    @Test(arguments: names) func `a parameter with a wrong value is refused by its name`(name: String) async throws {
        let route = try route(name)
        for parameter in route.query {
            let wrong =
                switch parameter.kind {
                case .text(let bytes): String(repeating: "x", count: bytes.upperBound + 1)
                default: "wrong"
                }
            let refused = await answer(route.method, path(route), query: "\(parameter.name)=\(wrong)")
            #expect(refused.status == 400 && refused.json["param"] as? String == parameter.name)
            #expect((refused.json["error"] as? String)?.contains(parameter.kind.words) == true, "\(refused.json)")
            let twice = await answer(route.method, path(route), query: "\(parameter.name)=1&\(parameter.name)=1")
            #expect(twice.status == 400)
        }
    }

    @Test(arguments: names) func `a member that a call does not know is refused by its name`(
        name: String
    ) async throws {
        let route = try route(name)
        if case .own = route.body { return }
        let refused = await answer(route.method, path(route), body: #"{"colour":"red"}"#)
        #expect(refused.status == 400 && refused.json["param"] as? String == "colour", "\(refused.json)")
        for body in ["{", "[]", "7", #"{"a":1,"a":1}"#] {
            #expect(await answer(route.method, path(route), body: body).status == 400, "\(body)")
        }
    }

    @Test(arguments: names) func `a member with a wrong value is refused by its name`(name: String) async throws {
        let route = try route(name)
        guard let members = route.members else { return }
        for member in members {
            for wrong in [#"{"x":{}}"#, "-1.5", member.isNullable ? "-1.5" : "null", #""\u0007""#] {
                let refused = await answer(route.method, path(route), body: "{\"\(member.name)\":\(wrong)}")
                let parameter = refused.json["param"] as? String
                #expect(refused.status == 400 && parameter?.hasPrefix(member.name) == true, "\(wrong): \(refused.json)")
            }
        }
        for member in members where member.isRequired {
            let refused = await answer(route.method, path(route))
            #expect(refused.status == 400 && refused.json["param"] as? String == member.name)
        }
    }

    @Test func `the document has every call, and refers to nothing that it lacks`() throws {
        let document = AdminDocument.literal(version: "1")
        let paths = try #require(document["paths"])
        for route in AdminAPI.routes {
            let operation = try #require(paths[route.path]?[route.method.rawValue.lowercased()])
            #expect(operation["operationId"]?.text == route.name)
            let names = (operation["parameters"]?.elements ?? []).compactMap { $0["name"]?.text }
            #expect(names == route.identifiers + route.query.map(\.name))
            #expect(operation["responses"]?[String(route.answer.status)] != nil)
        }
        let text = String(decoding: document.json, as: UTF8.self)
        for reference in text.matches(of: /"\$ref":"#\/components\/schemas\/(\w+)"/) {
            #expect(document["components"]?["schemas"]?[String(reference.output.1)] != nil)
        }
    }
}

extension AdminRoute {
    /// The members of its body; nil if it reads the body itself.
    fileprivate var members: [AdminMember]? {
        switch body {
        case .none: []
        case .members(let members), .oneOf(let members): members
        case .own: nil
        }
    }
}

/// Calls nothing.
private struct NoReceivers: CallbackSender {
    func send(_ message: CallbackMessage) async throws(CallbackFailure) -> CallbackReply {
        throw CallbackFailure("there is no receiver")
    }

    func refusal(of url: String) -> AddressRefusal? { nil }
}
