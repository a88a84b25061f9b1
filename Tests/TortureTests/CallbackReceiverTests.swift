import Base
import EventLoop
import HTTPClient
import KlingAPI
import Testing

/// The receiver records what arrives, verifies it, and takes it as planned.
struct CallbackReceiverTests {
    private static let secret = WebhookSignature.secret(key: [UInt8](repeating: 7, count: 32))
    private static let tenant = Tenant(name: "alpha", key: "sk-key", webhookSecret: secret)

    @Test func `callbacks are verified and recorded, and each is accepted in the end`() async throws {
        let loop = try EventLoop(name: "receiver")
        defer { loop.stop() }
        try await withTaskExecutorPreference(loop) { try await Self.deliver(on: loop) }
    }

    private static func deliver(on loop: EventLoop) async throws {
        let (options, ledger) = (try TortureOptions(["TORTURE_SEED": "1"]), Ledger())
        let receiver = try await CallbackReceiver(options, loop: loop, ledger: ledger, clock: RunClock())
        receiver.expect([tenant])
        let client = try HTTPClient(loop: loop)
        let plans = (1...60).map { CreatePlan($0, options, tenants: ["alpha"]) }
        for plan in plans {
            ledger.open(plan)
            let callback = (url: receiver.url(create: plan.number), id: "m\(plan.number)")
            let first = await post(callback.url, id: callback.id, client)
            let again = await post(callback.url, id: callback.id, client)
            #expect(again == 200, "a callback that was refused at first is accepted the second time")
            let own = ledger.book.callbacks.filter { $0.create == plan.number }
            #expect(own.map(\.wasTaken) == [(200...299).contains(first ?? 0), true])
            #expect(own.allSatisfy { $0.isSigned && $0.task == SeenTask(id: "k1", status: "processing") })
        }
        #expect(ledger.book.callbacks.contains { !$0.wasTaken })
        _ = await post(
            receiver.url(create: 1), id: "forged", signedBy: WebhookSignature.secret(key: [1, 2, 3]), client)
        #expect(ledger.book.callbacks.last?.isSigned == false)
        receiver.acceptEverything()
        for plan in plans { #expect(await post(receiver.url(create: plan.number), id: "last", client) == 200) }
        client.shutdown()
        await receiver.stop()
    }

    /// Posts a callback as the gateway would.
    /// - Returns: the status; nil if the connection was reset.
    private static func post(
        _ url: String, id: String, signedBy secret: Secret = secret, _ client: HTTPClient
    ) async -> Int? {
        let body = #"{"task_id":"k1","task_status":"processing"}"#
        let now = Int(WallClock.seconds)
        var request = HTTPClientRequest(.post, url)
        request.headers = [
            (name: "webhook-id", value: id), (name: "webhook-timestamp", value: "\(now)"),
            (
                name: "webhook-signature",
                value: WebhookSignature(secret)?.sign(id: id, timestamp: now, body: Array(body.utf8)) ?? ""
            ),
        ]
        request.body = [ByteSlice(copying: body)]
        return try? await client.execute(request).status
    }
}
