import Base
import EventLoop
import HTTPServer
import KlingAPI
import KlingSimulator

extension Simulation {
    static let solutions = "/solutions"
    static let person = "https://pictures.example/person.png"
    static let garment = "https://pictures.example/garment.png"

    /// A platform whose accounts speak this API.
    static func speaking(
        _ api: SimulatedAPI = .solutions, _ change: (inout SimulatorConfiguration) -> Void = { _ in }
    ) -> Simulation {
        Simulation { configuration in
            for index in configuration.accounts.indices { configuration.accounts[index].api = api }
            change(&configuration)
        }
    }

    /// The body of a create that the newer API accepts, with `members` in place of its own or added to them.
    static func solution(
        person: String = Self.person, garment: String = Self.garment, _ members: [String: String] = [:]
    ) -> [UInt8] {
        let contents = """
            [{"type":"product_image","url":"\(garment)"},{"type":"person_image","url":"\(person)"}]
            """
        let all = ["contents": contents].merging(members) { $1 }.sorted { $0.key < $1.key }
        return Array("{\(all.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ","))}".utf8)
    }

    /// `options` with an external id.
    static func named(_ id: String, _ more: String = "") -> [String: String] {
        ["options": #"{"external_task_id":"\#(id)"\#(more)}"#]
    }

    @discardableResult
    mutating func solve(person: String = Self.person, _ members: [String: String] = [:]) -> Answer {
        send("POST", Self.solutions + "/virtual_try_on", body: Self.solution(person: person, members))
    }

    mutating func find(_ query: String) -> Answer { send("GET", Self.solutions, query: query) }

    mutating func page(_ body: String = "{}") -> Answer { send("POST", Self.solutions, body: Array(body.utf8)) }

    mutating func control(_ name: String, _ body: String) -> Answer {
        send("POST", "/_simulator/" + name, body: Array(body.utf8))
    }
}

extension Answer {
    private var envelope: JSONObject? { JSONObject(bytes) }

    /// `data`, if it is an object.
    var data: JSONObject? { envelope?.object("data") }
    /// The tasks in the answer to a query or a list.
    var solutions: [JSONObject] {
        guard let envelope else { return [] }
        return envelope.objects("data") ?? data?.objects("result") ?? []
    }
    var solutionIDs: [String] { solutions.compactMap { $0.string("id") } }
    /// The id in the answer to a create.
    var madeID: String { data?.string("task_id") ?? "" }
}

extension JSONObject {
    func objects(_ name: StaticString) -> [JSONObject]? {
        array(name)?.compactMap { JSONObject(bytes, range: $0.value) }
    }

    var text: String { String(decoding: json, as: UTF8.self) }
}

/// A server of pictures, each at its own path.
final class PictureHost: Sendable {
    let url: String
    private let loop: EventLoop
    private let server: HTTPServer

    init(_ files: [String: [UInt8]]) async throws {
        loop = try EventLoop(name: "pictures")
        let loopback = SocketAddress.ipv4(address: 0x7F00_0001, port: 0)
        server = HTTPServer(
            configuration: HTTPServerConfiguration(addresses: [loopback]), loops: [loop],
            budget: ByteBudget(capacity: 1 << 20), service: Responder(files: files))
        url = "http://\(try await server.start()[0])"
    }

    func stop() async {
        await server.shutdown(grace: .zero)
        loop.stop()
    }

    private struct Responder: HTTPResponder {
        let files: [String: [UInt8]]

        func respond(to request: HTTPRequest) async -> HTTPResponse {
            if request.head.path == "/moved.png" {
                return HTTPResponse(status: 302, headers: [(name: "Location", value: "/person.png")])
            }
            guard let file = files[String(request.head.path.dropFirst())] else { return HTTPResponse(status: 404) }
            return HTTPResponse(status: 200, body: .slices([ByteSlice(Bytes(file), 0..<file.count)]))
        }
    }
}
