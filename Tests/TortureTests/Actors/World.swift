import Base
import EventLoop
import HTTPClient
import TestKit

/// What all actors of a run share. They run on one event loop.
struct World: Sendable {
    let options: TortureOptions
    let loop: EventLoop
    let clock: RunClock
    let caller: Caller
    let upstream: Upstream
    let gateway: GatewayUnderTest
    let receiver: CallbackReceiver
    let ledger: Ledger
    let progress: Progress
    /// Sets the gateway's clock; nil if that is not possible.
    let shim: ClockShim?
    let tenants: [Tenant]

    func tenant(_ name: String) -> Tenant {
        guard let tenant = tenants.first(where: { $0.name == name }) else { preconditionFailure("no tenant \(name)") }
        return tenant
    }

    /// Waits, unless the run is cancelled.
    func pause(_ duration: Duration) async { try? await loop.sleep(for: duration) }
}

/// A tenant of the gateway, with its key and webhook secret.
struct Tenant: Sendable {
    let name: String
    let key: String
    let webhookSecret: Secret

    /// The tenant that has a budget.
    static let limited = "delta"

    static func names(_ options: TortureOptions) -> [String] {
        ["alpha", "beta", "gamma"] + (options.has(.budgets) ? [limited] : [])
    }
}

/// The time since the run began.
struct RunClock: Sendable {
    /// Whether the gateway's clock is always right.
    var isGatewaysTrue = true
    private let start = MonotonicTime.now

    var now: Moment { Moment((MonotonicTime.now - start).nanoseconds / 1000) }
}

/// Sends the requests of all actors, each with a timeout.
struct Caller: Sendable {
    typealias Answer = Result<HTTPClientResponse, HTTPClientError>

    let client: HTTPClient

    /// Longer than any book.
    private static let longestAnswer = 256 << 20

    func get(_ url: String, key: String? = nil, timeout: Duration = .seconds(20)) async -> Answer {
        await send(HTTPClientRequest(.get, url), key, timeout)
    }

    func post(
        _ url: String, _ body: String, key: String? = nil, idempotencyKey: String? = nil,
        timeout: Duration = .seconds(30)
    ) async -> Answer {
        var request = HTTPClientRequest(.post, url)
        request.headers = [(name: "Content-Type", value: "application/json")]
        if let idempotencyKey { request.headers.append((name: "Idempotency-Key", value: idempotencyKey)) }
        request.body = [ByteSlice(copying: body)]
        return await send(request, key, timeout)
    }

    private func send(_ request: HTTPClientRequest, _ key: String?, _ timeout: Duration) async -> Answer {
        var request = request
        if let key { request.headers.append((name: "Authorization", value: "Bearer \(key)")) }
        request.timeout = timeout
        request.maximumAnswer = Self.longestAnswer
        do throws(HTTPClientError) { return .success(try await client.execute(request)) } catch {
            return .failure(error)
        }
    }
}
