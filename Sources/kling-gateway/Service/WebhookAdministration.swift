internal import Base
internal import EventLoop
internal import Gateway
internal import GatewayConfiguration
internal import HTTPClient
internal import KlingAPI
internal import TaskStore

/// The operations of the `webhooks` and `deliveries` commands, on the store that the configuration names.
enum WebhookAdministration {
    static func secrets(of tenant: String, _ configuration: Configuration) async throws -> [Secret] {
        try await withSecrets(of: tenant, configuration) { try await $0.secrets(of: tenant) }
    }

    static func rotate(tenant: String, grace: Duration, _ configuration: Configuration) async throws -> Secret {
        try await withSecrets(of: tenant, configuration) { try await $0.rotate(tenant: tenant, grace: grace) }
    }

    /// Sends one signed event to `url`, as the gateway would.
    /// - Returns: the status of the answer.
    static func test(tenant: String, url: String, _ configuration: Configuration) async throws -> Int {
        let signatures = try await secrets(of: tenant, configuration).compactMap { WebhookSignature($0) }
        let loop = try EventLoop(name: "webhooks")
        defer { loop.stop() }
        let sender = try HTTPCallbackSender(loops: [loop], allowing: configuration.allowed.callbacks)
        defer { sender.shutdown() }
        try check(url, sender)
        let now = WallClock.milliseconds
        let message = CallbackMessage(
            id: "msg_test_\(now)", url: url, body: testEvent(at: now), signatures: signatures, at: now,
            userAgent: callbackUserAgent, timeout: .seconds(15))
        let outcome = await loop.spawn { () -> Result<CallbackReply, CallbackFailure> in
            do throws(CallbackFailure) {
                return .success(try await sender.send(message))
            } catch {
                return .failure(error)
            }
        }.value
        switch outcome {
        case .success(let reply): return reply.status
        case .failure(let failure): throw ServiceError("no answer: \(failure.reason)")
        }
    }

    private static func withSecrets<Result>(
        of tenant: String, _ configuration: Configuration, _ body: (WebhookSecrets) async throws -> Result
    ) async throws -> Result {
        try await KeyAdministration.withStore(of: configuration) { store in
            guard KeyIssuer.isTenantName(tenant) else { throw KeyIssueError.badTenantName }
            return try await body(
                WebhookSecrets(keys: store.keys, vault: try await Vault(configuration, sharedWith: store)))
        }
    }

    private static func check(_ url: String, _ sender: HTTPCallbackSender) throws {
        do {
            try CallbackAddress.check(try HTTPURL(url), sender)
        } catch let problem as HTTPURL.Problem {
            throw ServiceError("the URL \(problem)")
        } catch let error as GatewayError {
            throw ServiceError(error.message)
        }
    }

    /// The event that a receiver gets for a task that has just been created.
    private static func testEvent(at now: Int64) -> [UInt8] {
        TaskFields(taskID: "test", status: .submitted, createdAt: Int(now), updatedAt: Int(now)).json
    }
}

/// The `User-Agent` for receivers of callbacks and hosts of pictures.
let callbackUserAgent = "kling-gateway/\(Version.number)"
