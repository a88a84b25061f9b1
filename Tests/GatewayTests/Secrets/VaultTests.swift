import Base
import Foundation
import KlingAPI
import Testing

@testable import Gateway

/// Blocks a thread until it is opened.
final class Gate: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)
    func wait() { semaphore.wait() }
    func open() { semaphore.signal() }
}

struct VaultTests {
    @Test func `a sealed secret opens only for its purpose and record, and only unchanged`() throws {
        let vault = Vault(try MasterKey(Secret("a master key of some length")))
        let sealed = vault.seal(Secret("hidden"), .secretKey, of: "key_1")
        #expect(try vault.open(sealed, .secretKey, of: "key_1").reveal() == "hidden")
        #expect(throws: VaultError.self) { try vault.open(sealed, .secretKey, of: "key_2") }
        #expect(throws: VaultError.self) { try vault.open(sealed, .webhookSecret, of: "key_1") }
        for index in sealed.indices {
            var changed = sealed
            changed[index] ^= 1
            #expect(throws: VaultError.self) { try vault.open(changed, .secretKey, of: "key_1") }
        }
        for count in 0..<sealed.count {
            #expect(throws: VaultError.self) { try vault.open(Array(sealed.prefix(count)), .secretKey, of: "key_1") }
        }
        #expect(vault.seal(Secret("hidden"), .secretKey, of: "key_1") != sealed)
    }

    @Test func `a master key file is created once, for its owner only`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "master.key").path
        let first = Vault(try MasterKey(readingOrCreating: path))
        let again = Vault(try MasterKey(readingOrCreating: path))
        #expect(try again.open(first.seal(Secret("x"), .secretKey, of: "k"), .secretKey, of: "k").reveal() == "x")
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["master.key"])
        let text = try String(contentsOfFile: path, encoding: .utf8).dropLast()
        #expect(Base64.decode(text.utf8)?.count == 32)
        // The same text from another source gives the same key.
        let given = Vault(try MasterKey(Secret(String(text))))
        #expect(try given.open(first.seal(Secret("x"), .secretKey, of: "k"), .secretKey, of: "k").reveal() == "x")
        try Data("short\n".utf8).write(to: URL(filePath: path))
        #expect(throws: MasterKeyError.tooShort) { try MasterKey(readingOrCreating: path) }
        #expect(throws: MasterKeyError.self) { try MasterKey(readingOrCreating: folder.path + "/none/master.key") }
    }

    @Test func `an issued key shows its secrets in its JSON and nowhere else`() async throws {
        let fixture = try Fixture()
        let issued = try await fixture.issuer.issue(tenant: "shop.a_b-1")
        let listed = try #require(try await KeyIssuer.list(fixture.store).first)
        let json = String(decoding: issued.json(listed), as: UTF8.self)
        let store = fixture.store.state.withLock { "\($0.records)\($0.tenants)" }
        var dumped = ""
        dump(issued, to: &dumped)
        dump(fixture.vault, to: &dumped)
        for secret in [issued.key, issued.secretKey, issued.webhookSecret, Secret("a master key of some length")] {
            #expect(json.contains(secret.reveal()) != secret.reveal().hasPrefix("a master"))
            #expect(!"\(issued)\(store)\(dumped)\(fixture.vault)".contains(secret.reveal()))
        }
        #expect(issued.key.reveal().utf8.count == 51 && issued.accessKey.utf8.count == 32)
        #expect(WebhookSignature(issued.webhookSecret) != nil)
        let names = JSONObject(issued.json(listed))
        for name in ["tenant", "id", "key", "access_key", "secret_key", "webhook_secret"] as [StaticString] {
            #expect(names?.string(name) != nil)
        }
    }

    @Test(arguments: ["", "a b", "a/b", "ä", String(repeating: "a", count: 65), "a\n"])
    func `an invalid tenant name is refused`(name: String) async throws {
        let fixture = try Fixture()
        await #expect(throws: KeyIssueError.badTenantName) { _ = try await fixture.issuer.issue(tenant: name) }
    }
}
