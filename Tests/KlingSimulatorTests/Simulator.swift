import Base
import EventLoop
import HTTPClient
import HTTPServer
import KlingAPI
import KlingSimulator

/// A simulator on loopback, and a client for it.
struct Simulator: Sendable {
    let simulator: KlingSimulator
    private let client: HTTPClient
    private let loop: EventLoop

    /// Runs `body` with a simulator, and stops it afterwards.
    static func run(
        _ change: (inout SimulatorConfiguration) -> Void, body: (Simulator) async throws -> Void
    ) async throws {
        let loops = [try EventLoop(name: "simulator-1"), try EventLoop(name: "simulator-2")]
        var configuration = SimulatorConfiguration(accounts: Simulation.accounts)
        change(&configuration)
        let simulator = try KlingSimulator(configuration: configuration, loops: loops)
        try await simulator.start()
        let client = try HTTPClient(loop: loops[1])
        let result: Result<Void, any Error>
        do {
            try await body(Simulator(simulator: simulator, client: client, loop: loops[1]))
            result = .success(())
        } catch {
            result = .failure(error)
        }
        client.shutdown()
        await simulator.stop()
        for loop in loops { loop.stop() }
        try result.get()
    }

    func post(_ body: [UInt8], to path: String = TryOn.path) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(.post, simulator.url + path)
        request.body = [ByteSlice(Bytes(body), 0..<body.count)]
        return try await execute(request)
    }

    func get(_ path: String, timeout: Duration = .seconds(30)) async throws -> HTTPClientResponse {
        try await get(absolute: simulator.url + path, timeout: timeout)
    }

    func get(absolute url: String, timeout: Duration = .seconds(30)) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(.get, url)
        request.timeout = timeout
        return try await execute(request)
    }

    private func execute(_ request: HTTPClientRequest) async throws -> HTTPClientResponse {
        var request = request
        request.headers = [
            (name: "Authorization", value: "Bearer plain-key"), (name: "Content-Type", value: "application/json"),
            (name: "X-Trace", value: "tests"),
        ]
        let sent = request
        let outcome: Result<HTTPClientResponse, HTTPClientError> = await loop.spawn { [client] in
            do throws(HTTPClientError) {
                return .success(try await client.execute(sent))
            } catch {
                return .failure(error)
            }
        }.value
        return try outcome.get()
    }
}

/// A clock for a simulator. It only moves when a test moves it, so that one callback cannot overtake another.
final class SteppedClock: Sendable {
    private let time = Lock(Int(WallClock.milliseconds))

    /// In milliseconds since 1970.
    var now: Int { time.withLock { $0 } }

    func advance(milliseconds: Int) { time.withLock { $0 += milliseconds } }
}

/// A server that receives callbacks.
final class Receiver: Sendable {
    /// One callback.
    struct Message: Sendable {
        let id, timestamp, signature: String
        let body: [UInt8]

        func isSigned(with secret: Secret) -> Bool {
            WebhookSignature(secret)?.verify(
                id: id, timestamp: timestamp, body: body, header: signature, now: Int(WallClock.seconds)) == true
        }
    }

    let messages: AsyncStream<Message>
    let url: String
    private let loop: EventLoop
    private let server: HTTPServer

    init() async throws {
        loop = try EventLoop(name: "receiver")
        let (messages, continuation) = AsyncStream.makeStream(of: Message.self)
        self.messages = messages
        let loopback = SocketAddress.ipv4(address: 0x7F00_0001, port: 0)
        server = HTTPServer(
            configuration: HTTPServerConfiguration(addresses: [loopback]), loops: [loop],
            budget: ByteBudget(capacity: 1 << 20), service: Responder(messages: continuation))
        url = "http://\(try await server.start()[0])/hook"
    }

    func stop() async {
        await server.shutdown(grace: .zero)
        loop.stop()
    }

    private struct Responder: HTTPResponder {
        let messages: AsyncStream<Message>.Continuation

        func respond(to request: HTTPRequest) async -> HTTPResponse {
            guard let bytes = try? await request.body.collect(limit: 64 << 10, owner: "receiver") else {
                return HTTPResponse(status: 400)
            }
            messages.yield(
                Message(
                    id: request.headers["webhook-id"] ?? "", timestamp: request.headers["webhook-timestamp"] ?? "",
                    signature: request.headers["webhook-signature"] ?? "", body: bytes.withUnsafeBytes { Array($0) }))
            return HTTPResponse(status: 200)
        }
    }
}
