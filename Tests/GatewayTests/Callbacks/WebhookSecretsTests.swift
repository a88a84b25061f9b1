import Base
import KlingAPI
import TaskStore
import TestKit
import Testing

@testable import Gateway

@Suite(.onEventLoop) struct WebhookSecretsTests {
    @Test func `a secret is created at its first use, and two are valid during a rotation`() async throws {
        let fixture = try Fixture()
        let secrets = WebhookSecrets(keys: fixture.store, vault: fixture.vault)
        let first = try await secrets.secrets(of: "shop", at: 1000)
        #expect(first.count == 1)
        #expect(WebhookSignature(first[0]) != nil)
        #expect(try await secrets.secrets(of: "shop", at: 2000) == first)
        #expect(try await fixture.issuer.webhookSecret(of: "shop") == first[0])
        let second = try await secrets.rotate(
            tenant: "shop", grace: .seconds(60), at: 3000)
        #expect(second != first[0])
        #expect(try await secrets.secrets(of: "shop", at: 62_999) == [second, first[0]])
        #expect(try await secrets.secrets(of: "shop", at: 63_000) == [second])
        #expect(try await secrets.secrets(of: "other", at: 3000) != [second])
    }

    @Test(arguments: [("24h", 86_400), ("0s", 0), ("30d", 2_592_000)]) func `parses a grace period`(
        text: String, seconds: Int
    ) {
        #expect(WebhookSecrets.grace(text) == .seconds(seconds))
    }

    @Test(arguments: ["", "24", "31d", "-1h", "1w"]) func `refuses an invalid grace period`(text: String) {
        #expect(WebhookSecrets.grace(text) == nil)
    }
}
