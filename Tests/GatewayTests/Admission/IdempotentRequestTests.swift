import TaskStore
import TestKit
import Testing

@testable import Gateway
@testable import HTTPServer

/// The key of a request, and what is known about it.
@Suite(.onEventLoop) struct IdempotentRequestTests {
    // MARK: The header field

    private static let longest = String(repeating: "k", count: 255)

    @Test(
        arguments: [
            ([], nil), (["Idempotency-Key: try-1"], "try-1"), (["idempotency-key:  try-1 "], "try-1"),
            (["Idempotency-Key: ~!\"{}"], "~!\"{}"), (["Idempotency-Key: \(longest)"], longest),
            (["X-Idempotency-Key: try-1"], nil), (["Idempotency-Key: \"try-1\""], "try-1"),
            (["Idempotency-Key: a,b"], "a,b"), (["Idempotency-Key: \""], "\""),
        ] as [([String], String?)])
    func `a key is one value of visible ASCII characters`(fields: [String], key: String?) throws {
        #expect(try IdempotentRequest.key(in: try head("POST", "/", fields).headers) == key)
    }

    @Test(arguments: [
        ["Idempotency-Key:"], ["Idempotency-Key: \(longest)k"], ["Idempotency-Key: try 1"],
        ["Idempotency-Key: try\t1"], ["Idempotency-Key: é"], ["Idempotency-Key: a", "Idempotency-Key: a"],
        ["Idempotency-Key: a", "idempotency-key:"], ["Idempotency-Key: a, a"], ["Idempotency-Key: \"\""],
        ["Idempotency-Key: \"a\", \"a\""],
    ])
    func `any other key is refused, naming the header field`(fields: [String]) throws {
        let headers = try head("POST", "/", fields).headers
        let error = #expect(throws: GatewayError.self) { try IdempotentRequest.key(in: headers) }
        #expect(error?.cause == .badParameter && error?.parameter == "Idempotency-Key")
    }

    // MARK: The first request

    private static let day: Int64 = 86_400_000
    private static let made: Int64 = 10 * day
    private static let answer = StoredAnswer(status: 200, body: [1])

    /// Runs `body` with a store where the tenant `shop` has used the key `try-1`.
    private func run(
        isAnswered: Bool, _ body: (any TaskStore) async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder()
        let store = try SQLiteTaskStore.open(path: folder.path("gateway.db"))
        try await store.begin(
            NewTask(
                id: id(1), tenant: "shop", assignment: Assignment(account: "main"), model: "m",
                idempotency: IdempotencyKey(key: "try-1", fingerprint: [1, 2]), createdAt: Self.made))
        if isAnswered {
            let acceptance = Acceptance(
                upstreamID: "k-1", publicID: "k-1", state: .submitted, statusWord: "submitted", answer: [],
                at: Self.made)
            _ = try await store.accept(id(1), acceptance) { _ in Self.answer }
        }
        try await body(store)
        await store.close()
        withExtendedLifetime(folder) {}
    }

    @Test(arguments: [
        ("shop", "try-1", made, true), ("shop", "try-1", made + day, true), ("shop", "try-1", made + day + 1, false),
        ("shop", "try-1", made - day, true), ("shop", "try-2", made, false), ("other", "try-1", made, false),
    ])
    func `a tenant's key is known for a day`(tenant: String, key: String, now: Int64, isKnown: Bool) async throws {
        try await run(isAnswered: true) { store in
            let request = try await IdempotentRequest(key, tenant: tenant, in: store, believed: now)
            #expect((request.known?.task == id(1)) == isKnown && (request.known != nil) == isKnown)
            #expect(request.claim([7]) == IdempotencyKey(key: key, fingerprint: [7], expiry: now - Self.day))
        }
    }

    @Test func `a forgotten key can be claimed again`() async throws {
        try await run(isAnswered: true) { store in
            let now = Self.made + Self.day + 1
            let request = try await IdempotentRequest("try-1", tenant: "shop", in: store, believed: now)
            try await store.begin(
                NewTask(
                    id: id(2), tenant: "shop", assignment: Assignment(account: "main"), model: "m",
                    idempotency: request.claim([7]),
                    createdAt: now))
            let again = try await IdempotentRequest("try-1", tenant: "shop", in: store, believed: now)
            #expect(again.known?.task == id(2))
        }
    }

    /// Whether the first request was answered, and the content of this one; whether it differs.
    @Test(
        arguments: [
            (true, "try-1", [1, 2], false), (true, "try-1", [9], true), (false, "try-1", [1, 2], false),
            (false, "try-1", [9], true), (true, "try-2", [9], false),
        ] as [(Bool, String, [UInt8], Bool)])
    func `a key that was sent with other content is refused`(
        isAnswered: Bool, key: String, fingerprint: [UInt8], isRefused: Bool
    ) async throws {
        try await run(isAnswered: isAnswered) { store in
            let request = try await IdempotentRequest(key, tenant: "shop", in: store, believed: Self.made)
            do throws(GatewayError) {
                try request.checkContent(fingerprint)
                #expect(!isRefused)
            } catch {
                #expect(isRefused && error.cause == .idempotencyMismatch && error.parameter == "Idempotency-Key")
            }
            if request.known != nil { #expect(request.known?.answer == (isAnswered ? Self.answer : nil)) }
        }
    }

    @Test func `if the store cannot be read, a repeated request does not count as a first one`() async throws {
        try await run(isAnswered: true) { store in
            await store.close()
            let error = await #expect(throws: GatewayError.self) {
                _ = try await IdempotentRequest("try-1", tenant: "shop", in: store, believed: Self.made)
            }
            #expect(error?.cause == .storeUnavailable)
        }
    }
}
