import Base
import EventLoop
import HTTPServer
import KlingAPI

/// The clients' receiver of callbacks: it takes or refuses them as planned, and records them.
final class CallbackReceiver: Sendable {
    private let server: HTTPServer
    private let responder: Responder
    private let base: String

    /// Listens on a free port.
    init(_ options: TortureOptions, loop: EventLoop, ledger: Ledger, clock: RunClock) async throws {
        responder = Responder(plan: ReceiverPlan(options), ledger: ledger, clock: clock)
        server = HTTPServer(
            configuration: HTTPServerConfiguration(addresses: [.ipv4(address: 0x7F00_0001, port: 0)]), loops: [loop],
            budget: ByteBudget(capacity: 64 << 20), service: responder)
        base = "http://\(try await server.start()[0])/callbacks/"
    }

    /// The callback URL of a create.
    func url(create number: Int) -> String { base + String(number) }

    /// Sets what each tenant's callbacks are verified with.
    func expect(_ tenants: [Tenant]) {
        let signatures = tenants.compactMap { tenant in
            WebhookSignature(tenant.webhookSecret).map { (tenant.name, $0) }
        }
        responder.state.withLock { $0.signatures = Dictionary(uniqueKeysWithValues: signatures) }
    }

    /// Accepts every callback from now on.
    func acceptEverything() { responder.state.withLock { $0.acceptsEverything = true } }

    func stop() async { await server.shutdown(grace: .zero) }

    private struct Responder: HTTPResponder {
        struct State {
            var signatures: [String: WebhookSignature] = [:]
            var acceptsEverything = false
        }

        let plan: ReceiverPlan
        let ledger: Ledger
        let clock: RunClock
        let state = Lock(State())

        func respond(to request: HTTPRequest) async -> HTTPResponse {
            let at = clock.now
            guard let number = request.head.path.split(separator: "/").last.flatMap({ Int($0) }),
                let bytes = try? await request.body.collect(limit: 1 << 20, owner: "receiver")
            else { return HTTPResponse(status: 400) }
            let body = bytes.withUnsafeBytes { Array($0) }
            guard let task = TaskObject(body).flatMap(SeenTask.init) else { return HTTPResponse(status: 400) }
            let id = request.headers["webhook-id"] ?? ""
            let arrivals = ledger.arrivals(create: number, id: id)
            let isFirst = arrivals.ofThis == 0 && !state.withLock { $0.acceptsEverything }
            let reaction = isFirst ? plan.reaction(create: number, arrival: arrivals.messages) : .takes
            ledger.add(
                Callback(
                    create: number, at: at, id: id, isSigned: isSigned(request, number, id, body), task: task,
                    wasTaken: reaction.isTaking))
            return await answer(reaction, on: request.loop)
        }

        private func isSigned(_ request: HTTPRequest, _ number: Int, _ id: String, _ body: [UInt8]) -> Bool {
            guard let tenant = ledger.tenant(of: number), let signature = state.withLock({ $0.signatures[tenant] }),
                let timestamp = request.headers["webhook-timestamp"], let header = request.headers["webhook-signature"]
            else { return false }
            // The gateway's clock may be wrong.
            let now = clock.isGatewaysTrue ? Int(WallClock.seconds) : Int(timestamp) ?? 0
            return signature.verify(id: id, timestamp: timestamp, body: body, header: header, now: now)
        }

        private func answer(_ reaction: ReceiverPlan.Reaction, on loop: EventLoop) async -> HTTPResponse {
            switch reaction {
            case .takes: return HTTPResponse(status: 200)
            case .takesSlowly(let delay):
                try? await loop.sleep(for: delay)
                return HTTPResponse(status: 204)
            case .refuses(let status): return HTTPResponse(status: status)
            case .resets:
                var response = HTTPResponse(status: 200)
                response.wire = HTTPResponse.Wire(bytes: [], end: .reset)
                return response
            }
        }
    }
}

extension ReceiverPlan.Reaction {
    /// Whether the gateway is told that the message has arrived.
    var isTaking: Bool {
        switch self {
        case .takes, .takesSlowly: true
        case .refuses, .resets: false
        }
    }
}
