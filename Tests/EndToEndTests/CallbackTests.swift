import Base
import EventLoop
import Foundation
import Gateway
import HTTPServer
import KlingAPI
import TestKit
import Testing

@testable import kling_gateway

/// A receiver on this machine, which answers as the test wants and records what it gets.
private final class Receiver: HTTPResponder {
    struct Received: Sendable {
        let headers: [String: String]
        let body: [UInt8]
    }

    let received = Lock<[Received]>([])
    let answer: HTTPResponse

    init(_ answer: HTTPResponse) { self.answer = answer }

    func respond(to request: HTTPRequest) async -> HTTPResponse {
        let body = try? await request.body.collect(limit: 1 << 20, owner: "")
        let bytes = body.map { $0.withUnsafeBytes { Array($0) } } ?? []
        let headers = Lock<[String: String]>([:])
        request.headers.forEach { name, value in headers.withLock { $0[name.lowercased()] = value } }
        received.withLock { $0.append(Received(headers: headers.withLock { $0 }, body: bytes)) }
        return answer
    }

    /// Runs `body` with a listening receiver, a sender on a loop, and the receiver's port.
    static func run(
        answer: HTTPResponse = HTTPResponse(status: 200), address: String = "127.0.0.1:0", allow: [String] = [],
        _ body: (
            Receiver, HTTPServer, @escaping @Sendable (String) async -> Result<CallbackReply, CallbackFailure>, UInt16
        )
            async throws -> Void
    ) async throws {
        let receiver = Receiver(answer)
        try await LoopbackServer.run(receiver, at: try #require(SocketAddress(address))) { served in
            let sender = try HTTPCallbackSender(loops: [served.loop], allowing: allow.compactMap { CIDR($0) })
            defer { sender.shutdown() }
            let port = try #require(served.url.split(separator: ":").last.flatMap { UInt16($0) })
            try await body(
                receiver, served.server, { url in await served.loop.spawn { await post(url, sender) }.value }, port)
        }
    }

    static let secret = WebhookSignature.secret(key: Array(repeating: 7, count: 32))

    private static func post(_ url: String, _ sender: HTTPCallbackSender) async -> Result<
        CallbackReply, CallbackFailure
    > {
        let message = CallbackMessage(
            id: "msg_1", url: url, body: Array("{}".utf8), signatures: [secret].compactMap { WebhookSignature($0) },
            at: 1_000_000, userAgent: "test/1", timeout: .seconds(10))
        do throws(CallbackFailure) { return .success(try await sender.send(message)) } catch { return .failure(error) }
    }
}

@Suite(.aFewAtATime) struct CallbackTests {
    @Test func `a receiver gets one signed POST, and the body of its answer is discarded`() async throws {
        let answer = HTTPResponse(
            status: 503, headers: [("Retry-After", "17")],
            body: .bytes(Array(repeating: 0x20, count: 3 << 20)))
        try await Receiver.run(answer: answer, allow: ["127.0.0.0/8"]) { receiver, _, send, port in
            #expect(
                await send("http://127.0.0.1:\(port)/a?b=c") == .success(CallbackReply(status: 503, retryAfter: "17")))
            let received = try #require(receiver.received.withLock { $0.first })
            #expect(received.headers["content-type"] == "application/json")
            #expect(received.headers["user-agent"] == "test/1")
            #expect(received.headers["webhook-timestamp"] == "1000")
            #expect(received.body == Array("{}".utf8))
            let signature = try #require(WebhookSignature(Receiver.secret))
            #expect(
                signature.verify(
                    id: received.headers["webhook-id"] ?? "", timestamp: "1000", body: received.body,
                    header: received.headers["webhook-signature"] ?? "", now: 1000))
        }
    }

    @Test func `a redirect is returned and not followed`() async throws {
        let answer = HTTPResponse(status: 302, headers: [("Location", "/elsewhere")])
        try await Receiver.run(answer: answer, allow: ["127.0.0.0/8"]) { receiver, _, send, port in
            #expect(await send("http://127.0.0.1:\(port)/") == .success(CallbackReply(status: 302)))
            #expect(receiver.received.withLock { $0.count } == 1)
        }
    }

    @Test(arguments: [
        "127.0.0.1", "localhost", "a.localhost", "127.0.0.1.", "0x7f.1", "0x7f000001", "2130706433", "017700000001",
        "127.1", "0", "0.0.0.0", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]", "[fe80::1]", "[fc00::1]", "169.254.169.254", "10.0.0.1", "100.64.0.1", "172.16.0.1",
        "192.0.0.1", "192.168.0.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
        // Names that resolve to this machine on Debian.
        "ip6-localhost", "ip6-loopback",
    ])
    func `no spelling of a private address is connected to`(host: String) async throws {
        for address in ["127.0.0.1:0", "[::]:0"] {
            guard (try? await listens(address)) == true else { continue }
            try await Receiver.run(address: address) { receiver, server, send, port in
                guard case .failure(let failure) = await send("http://\(host):\(port)/") else {
                    Issue.record("\(host) was called")
                    return
                }
                #expect(
                    ["addressRefused", "nameLookup", "invalidRequest"].contains { failure.reason.hasPrefix($0) },
                    "\(failure)")
                #expect(server.statistics.accepted == 0)
            }
        }
    }

    private func listens(_ address: String) async throws -> Bool {
        if address.hasPrefix("127.") { return true }
        try await Receiver.run(address: address) { _, _, _, _ in }
        return true
    }

    @Test func `the machine's own host name is not called`() async throws {
        try await Receiver.run(address: "0.0.0.0:0") { _, server, send, port in
            let outcome = await send("http://\(ProcessInfo.processInfo.hostName):\(port)/")
            #expect(throws: CallbackFailure.self) { try outcome.get() }
            #expect(server.statistics.accepted == 0)
        }
    }

    @Test(.timeLimit(.minutes(15))) func `a client that left before its answer still gets a callback`() async throws {
        try await Receiver.run(answer: HTTPResponse(status: 200)) { receiver, _, _, port in
            let environment = ["KLING_GATEWAY_CALLBACK_ALLOW": "127.0.0.0/8"]
            try await Fixture.run(environment: environment) { fixture in
                try fixture.fail("create:slow=1:1:1")
                let body = Fixture.body(#""callback_url":"http://127.0.0.1:\#(port)/""#)
                let client = try RawClient(port: fixture.gateway.port)
                try client.send(
                    "POST \(Fixture.path) HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer \(GatewayProcess.key)\r\n"
                        + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
                while try await fixture.seenByKling().isEmpty { try Task.checkCancellation() }
                client.reset()
                while receiver.received.withLock({ $0.isEmpty }) {
                    try Task.checkCancellation()
                    await Task.yield()
                }
            }
        }
    }

    @Test func `a test event follows the rules for callbacks`() async throws {
        let folder = try TemporaryFolder()
        var environment = try await GatewayProcess.environment(kling: "http://127.0.0.1:9", folder)
        try await Receiver.run(answer: HTTPResponse(status: 202)) { receiver, server, _, port in
            func run(_ arguments: String...) async throws -> Program.Outcome {
                try await Program.gateway(["webhooks"] + arguments, environment: environment).end()
            }
            let url = "http://127.0.0.1:\(port)/"
            let refused = try await run("test", "--tenant", "shop", "--url", url)
            #expect(refused.status == 1)
            #expect(server.statistics.accepted == 0)
            environment["KLING_GATEWAY_CALLBACK_ALLOW"] = "127.0.0.0/8"
            let sent = try await run("test", "--tenant", "shop", "--url", url)
            #expect(sent.status == 0, "\(sent.errors)")
            #expect(sent.output == "202\n")
            let shown = try await run("secret", "--tenant", "shop")
            let secret = Secret(shown.output.trimmingCharacters(in: .newlines))
            let received = try #require(receiver.received.withLock { $0.first })
            let time = try #require(received.headers["webhook-timestamp"])
            #expect(
                WebhookSignature(secret)?.verify(
                    id: received.headers["webhook-id"] ?? "", timestamp: time, body: received.body,
                    header: received.headers["webhook-signature"] ?? "", now: Int(WallClock.seconds)) == true)
            let json = try JSONSerialization.jsonObject(with: Data(received.body)) as? [String: Any]
            #expect(json?["task_status"] as? String == "submitted")
        }
    }
}
