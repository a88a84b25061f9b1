import Base
import EventLoop
import TestKit
import Testing

@testable import Gateway
@testable import HTTPServer

/// The head of a request, as the server parses it.
func head(_ method: String = "POST", _ path: String = "/", _ fields: [String] = []) throws -> HTTPRequestHead {
    let text = "\(method) \(path) HTTP/1.1\r\nHost: gateway.test\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n"
    var parser = HeadParser(limits: HeadLimits())
    guard case .complete(let head, _) = parser.parse(Array(text.utf8).span).outcome else {
        throw TestKitError("no head: \(text)")
    }
    return head
}

/// Sends a request to a new server with the test's handler, for code that needs a connection.
func exchange(
    _ bytes: [UInt8], budget: ByteBudget = ByteBudget(capacity: 64 << 20),
    _ handler: @escaping @Sendable (HTTPRequest) async -> HTTPResponse
) async throws -> RawClient.Answer {
    let loop = try EventLoop(name: "server")
    let server = HTTPServer(
        configuration: HTTPServerConfiguration(addresses: [.ipv4(address: 0x7F00_0001, port: 0)]), loops: [loop],
        budget: budget, service: Responder(handler: handler))
    let answer: Result<RawClient.Answer?, any Error>
    do {
        guard case .ipv4(_, let port) = try await server.start()[0] else { throw TestKitError("no port") }
        answer = .success(
            try await blocking {
                let client = try RawClient(port: port)
                try client.send(bytes)
                return try client.readAnswer()
            })
    } catch {
        answer = .failure(error)
    }
    await server.shutdown(grace: .zero)
    loop.stop()
    return try #require(try answer.get())
}

private struct Responder: HTTPResponder {
    let handler: @Sendable (HTTPRequest) async -> HTTPResponse

    func respond(to request: HTTPRequest) async -> HTTPResponse { await handler(request) }
}

/// A POST of a body to a path.
func post(_ path: String, _ body: [UInt8], _ fields: [String] = ["Host: gateway.test"]) -> [UInt8] {
    let lines = ["POST \(path) HTTP/1.1"] + fields + ["Content-Length: \(body.count)", "", ""]
    return Array(lines.joined(separator: "\r\n").utf8) + body
}

extension AdmittedRequest {
    /// A request of a tenant, after the checks of its head.
    convenience init(_ request: HTTPRequest, tenant: String = "shop", _ budget: ByteBudget) throws {
        let note = ExchangeNote(request.head)
        self.init(
            request, try #require(note.match),
            Principal(tenant: tenant, keyID: "key_1", limits: Principal.Limits()), idempotent: nil, rate: [], note,
            budget: budget, resends: nil)
    }
}
