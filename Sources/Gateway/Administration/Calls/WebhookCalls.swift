internal import Base
internal import HTTPServer
internal import KlingAPI
internal import TaskStore

/// Shows, rotates and tries out the secrets that sign callbacks to a tenant.
enum WebhookCalls {
    private static let secret: [(String, JSONLiteral)] = [
        ("tenant", AdminSchemas.text("The tenant.")),
        ("webhook_secret", AdminSchemas.text("The current secret, `whsec_…`.")),
    ]
    /// A month.
    private static let longestOverlap = 30 * 86_400

    static let routes = [
        AdminRoute(
            method: .get, path: "/admin/v1/tenants/{name}/webhook-secrets", name: "getWebhookSecrets",
            summary: "Show a tenant's webhook secret, which is made on first use.",
            answer: AdminRoute.Answer(
                description: "The secret.",
                schema: AdminSchemas.object(
                    secret,
                    optional: [
                        ("previous", AdminSchemas.text("The previous secret, which signs too until the overlap ends."))
                    ])),
            handle: secrets),
        AdminRoute(
            method: .post, path: "/admin/v1/tenants/{name}/webhook-secrets/rotate", name: "rotateWebhookSecret",
            summary: "Make a new webhook secret. Callbacks are signed with both until the overlap ends.",
            body: .members([
                AdminMember(
                    "overlap_seconds", .integer(0...longestOverlap),
                    "How long the old secret signs too; a day by default.")
            ]),
            answer: AdminRoute.Answer(description: "The new secret.", schema: AdminSchemas.object(secret)),
            handle: rotate),
        AdminRoute(
            method: .post, path: "/admin/v1/tenants/{name}/webhook-test", name: "testWebhook",
            summary: "Send one signed test event under the rules for callbacks.",
            body: .members([
                AdminMember(
                    "url", .text(1...TryOn.maxCallbackURLBytes), "Where to send it.", isRequired: true,
                    pattern: "^[Hh][Tt][Tt][Pp][Ss]?://")
            ]),
            answer: AdminRoute.Answer(
                description: "The receiver has answered.",
                schema: AdminSchemas.object([("status", AdminSchemas.integer("The status of its answer."))])),
            refusals: [502: "The receiver did not answer."], handle: test),
    ]

    private static func secrets(_ request: AdminRequest, _ parts: AdminParts) async throws -> AdminReply {
        let tenant = try request.tenant
        let secrets = try await parts.webhookSecrets().secrets(of: tenant, at: request.time)
        return .json(
            JSONWriter.object { writer in
                writer.member("tenant", tenant)
                writer.member("webhook_secret", secrets[0].reveal())
                writer.member("previous", ifPresent: secrets.dropFirst().first?.reveal())
            })
    }

    private static func rotate(_ request: AdminRequest, _ parts: AdminParts) async throws -> AdminReply {
        let tenant = try request.tenant
        let overlap = request.body.integer("overlap_seconds") ?? 86_400
        // Makes the secret that is replaced, if there is none yet, which is no entry of the audit log.
        _ = try await parts.webhookSecrets().secrets(of: tenant, at: request.time)
        let entry = request.entry("webhook_secrets.rotate", tenant)
        let secret = try await WebhookSecrets(keys: parts.store.audited(entry).keys, vault: try await parts.vault())
            .rotate(tenant: tenant, grace: .seconds(overlap), at: request.time)
        return .json(
            JSONWriter.object { writer in
                writer.member("tenant", tenant)
                writer.member("webhook_secret", secret.reveal())
            })
    }

    private static func test(_ request: AdminRequest, _ parts: AdminParts) async throws -> AdminReply {
        let tenant = try request.tenant
        let url = request.body.text("url") ?? ""
        try check(url, parts.callbacks)
        let secrets = try await parts.webhookSecrets().secrets(of: tenant, at: request.time)
        let event = TaskFields(
            taskID: "test", status: .submitted, createdAt: Int(request.time), updatedAt: Int(request.time))
        let message = CallbackMessage(
            id: "msg_test_\(request.time)", url: url, body: event.json,
            signatures: secrets.compactMap { WebhookSignature($0) }, at: request.time, userAgent: parts.userAgent,
            timeout: .seconds(15))
        do throws(CallbackFailure) {
            let reply = try await parts.callbacks.send(message)
            return .json(JSONWriter.object { $0.member("status", reply.status) })
        } catch {
            throw AdminError(502, "no answer: \(error.reason)", parameter: "url")
        }
    }

    private static func check(_ url: String, _ sender: any CallbackSender) throws(AdminError) {
        do {
            try CallbackAddress.check(try HTTPURL(url), sender)
        } catch let problem as HTTPURL.Problem {
            throw AdminError(400, "the URL \(problem)", parameter: "url")
        } catch {
            throw AdminError(error)
        }
    }
}

extension AdminParts {
    fileprivate func webhookSecrets() async throws -> WebhookSecrets {
        WebhookSecrets(keys: store.keys, vault: try await vault())
    }
}
