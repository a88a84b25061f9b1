import EventLoop
import HTTPServer

/// A test's own server, on its own loop.
struct LoopbackServer {
    let server: HTTPServer
    let loop: EventLoop
    let address: SocketAddress

    /// Its URL, without a slash at the end.
    var url: String { "http://\(address)" }

    /// Runs `body` while `responder` is served, and always stops the server.
    static func run(
        _ responder: any HTTPResponder, at address: SocketAddress = .ipv4(address: 0x7F00_0001, port: 0),
        _ body: (LoopbackServer) async throws -> Void
    ) async throws {
        let loop = try EventLoop(name: "receiver")
        let server = HTTPServer(
            configuration: HTTPServerConfiguration(addresses: [address]), loops: [loop],
            budget: ByteBudget(capacity: 256 << 20), service: responder)
        let failure: (any Error)?
        do {
            try await body(LoopbackServer(server: server, loop: loop, address: try await server.start()[0]))
            failure = nil
        } catch {
            failure = error
        }
        await server.shutdown(grace: .zero)
        loop.stop()
        if let failure { throw failure }
    }
}
