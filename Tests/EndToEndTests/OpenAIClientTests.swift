import Foundation
import KlingSimulator
import TestKit
import Testing

/// OpenAI's own Python SDK, unchanged.
@Suite(.aFewAtATime, .needsPython) struct OpenAIClientTests {
    /// Lets the gateway fetch what the simulated Kling has made.
    private static let settings = "fetch: { allow: [127.0.0.0/8] }\nqueue: off\ndispatch: { wait: 0s }\n"

    /// - Parameter fetches: whether the newer API fetches its pictures.
    private func withRig(
        _ api: SimulatedAPI, fetches: Bool = true, _ body: (Rig) async throws -> Void
    ) async throws {
        try await Rig.run(
            [.speaking(api)], settings: Self.settings, isPublic: true, fetchesPictures: fetches, body)
    }

    private func run(_ name: String, base: String = "/v1", _ rig: Rig) async throws {
        try await RealClient.run(
            "openai_sdk.py",
            ["GATEWAY": rig.gateway.url, "KEY": GatewayProcess.key, "BASE": base, "CASE": name])
    }

    @Test(arguments: ["/v1", "/kling/v1"], SimulatedAPI.either)
    func `the SDK lists models and gets a try-on as a URL`(
        base: String, api: SimulatedAPI
    ) async throws {
        try await withRig(api) { rig in
            try await run("models", base: base, rig)
            try await run("url", base: base, rig)
            #expect(rig.creates() == 1)
            #expect(try await rig.status("order-1") == "succeed")
        }
    }

    @Test(arguments: SimulatedAPI.either)
    func `the SDK gets try-ons as the pictures themselves`(_ api: SimulatedAPI) async throws {
        try await withRig(api) { rig in
            try await run("base64_picture", rig)
            #expect(rig.creates() == 2)
        }
    }

    @Test func `the SDK reads streamed try-ons`() async throws {
        try await withRig(.kolors) { rig in
            try await run("stream", rig)
            #expect(rig.creates() == 2)
        }
    }

    @Test func `the SDK raises the errors of a stream`() async throws {
        try await withRig(.kolors, fetches: false) { rig in
            try await run("stream_errors", rig)
            #expect(rig.creates() == 1)
        }
    }

    @Test func `the SDK raises its own errors, with request ids`() async throws {
        try await Rig.run(settings: Self.settings) { rig in
            try await run("errors", rig)
            #expect(rig.creates() == 0)
        }
    }

    @Test(arguments: SimulatedAPI.either)
    func `the SDK does not retry a failed task`(_ api: SimulatedAPI) async throws {
        try await withRig(api, fetches: false) { rig in
            try await run("failed_task", rig)
            #expect(rig.creates() == 2, "one for each of two edits")
        }
    }

    @Test func `the SDK does not retry when the account has failed`() async throws {
        try await Rig.run(settings: Self.settings) { rig in
            try rig.fail("create:1102")
            try await run("failed_account", rig)
            #expect(rig.creates() == 1)
        }
    }
}
