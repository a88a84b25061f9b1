import Base
import Foundation
import KlingSimulator
import TestKit
import Testing

/// Clients written for Kling or for a reseller, with another base URL and another key.
@Suite(.aFewAtATime) struct KlingClientTests {
    /// A published page's examples: the host, the placeholder for the key, and the picture of the person.
    private struct Page {
        let host, key, person: String
    }

    private static let pages = [
        "gpt-ge": Page(
            host: "https://api.gpt.ge", key: "sk-xxxx",
            person: "https://gw.alicdn.com/imgextra/i1/1860536677/O1CN012wEzZ11zC7RDNm0Jr_!!1860536677.jpg"),
        "chainhub": Page(
            host: "https://api.chainhub.tech", key: "{{YOUR_API_KEY}}",
            person: "https://h2.inkwai.com/bs2/upload-ylab-stunt/se/ai_portal_queue_mmu_image_upscale_aiweb/"
                + "3214b798-e1b4-4b00-b7af-72b5b0417420_raw_image_0.jpg"),
    ]

    private func resellerExample(_ page: String, _ language: String, _ api: SimulatedAPI) async throws {
        let example = try #require(Self.pages[page])
        try await Rig.run([.speaking(api)], duration: 1000...1000) { rig in
            let printed = try await RealClient.example(
                "\(page).\(language)", [example.host: rig.gateway.url, example.key: GatewayProcess.key])
            let task = try #require(rig.kling.tasks.first)
            #expect(rig.creates() == 1 && task.personURL == example.person)
            #expect(printed.contains(task.id) && printed.contains("submitted"), "\(printed)")
            try await eventually("it has ended") { try await rig.status(task.id) == "succeed" }
        }
    }

    @Test(arguments: pages.keys.sorted(), SimulatedAPI.either)
    func `a reseller's curl example works`(page: String, api: SimulatedAPI) async throws {
        try await resellerExample(page, "sh", api)
    }

    @Test(.needsNode, arguments: pages.keys.sorted(), SimulatedAPI.either)
    func `a reseller's fetch example works`(page: String, api: SimulatedAPI) async throws {
        try await resellerExample(page, "mjs", api)
    }

    @Test(.needsPython, arguments: pages.keys.sorted(), SimulatedAPI.either)
    func `a reseller's requests example works`(page: String, api: SimulatedAPI) async throws {
        try await resellerExample(page, "py", api)
    }

    @Test(arguments: [false, true], SimulatedAPI.either)
    func `Kling's own examples work with a bearer key and with a token`(signed: Bool, api: SimulatedAPI) async throws {
        try await Rig.run([.speaking(api)]) { rig in
            let keys = try await PrintedKey.made(rig)
            let now = Int(WallClock.seconds)
            let token =
                signed ? Token.sign(keys.accessKey, keys.secretKey, expires: now + 1800, notBefore: now - 5) : keys.key
            let changes = ["https://api-singapore.klingai.com": rig.gateway.url, "<token>": token]
            let made = try await RealClient.example("kling-create.sh", changes)
            let id = try #require(rig.kling.tasks.first?.id)
            #expect(made.contains(#""task_id":"\#(id)""#), "\(made)")
            let one = try await RealClient.example("kling-query.sh", changes.merging(["{id}": id]) { $1 })
            #expect(one.contains(#""task_id":"\#(id)""#), "\(one)")
            let list = try await RealClient.example("kling-list.sh", changes)
            #expect(list.contains(#""data":[{"#) && list.contains(#""task_id":"\#(id)""#), "\(list)")
        }
    }

    @Test(.needsPython, arguments: SimulatedAPI.either)
    func `the calls of Kling's ComfyUI nodes work with keys that the gateway issued`(_ api: SimulatedAPI) async throws {
        try await Rig.run([.speaking(api)], isPublic: true, duration: 1500...1500, fetchesPictures: true) { rig in
            let keys = try await PrintedKey.made(rig)
            let printed = try await RealClient.run(
                "comfyui.py",
                [
                    "GATEWAY": rig.gateway.url, "ACCESS_KEY": keys.accessKey, "SECRET_KEY": keys.secretKey,
                    "WRONG_SECRET_KEY": String(keys.secretKey.reversed()),
                ])
            #expect(printed.hasPrefix(rig.kling.url))
            #expect(rig.creates() == 1)
        }
    }

    /// - Parameter email: the example's placeholder for an account, which an account's name replaces.
    private func useapiExample(
        _ language: String, key: String, email: String? = nil, _ api: SimulatedAPI
    ) async throws {
        try await Rig.run([.speaking(api)], duration: 1000...1000) { rig in
            var changes = ["https://api.useapi.net": rig.gateway.url, key: GatewayProcess.key]
            if let email { changes[email] = "kling" }
            let printed = try await RealClient.example("useapi.\(language)", changes)
            // The create is answered once the first of its tasks is accepted.
            try await eventually("both tasks are made") { rig.kling.tasks.count == 2 }
            #expect(rig.kling.tasks.map(\.personURL) == Array(repeating: "https://example.com/person.jpg", count: 2))
            #expect(printed.contains("submitted") && printed.contains("mmu_img2img_aitryon"), "\(printed)")
        }
    }

    @Test(arguments: SimulatedAPI.either) func `useapi's curl example works`(api: SimulatedAPI) async throws {
        try await useapiExample("sh", key: "…", api)
    }

    @Test(.needsNode, arguments: [nil, "Previously configured account email"], SimulatedAPI.either)
    func `useapi's fetch example works`(email: String?, api: SimulatedAPI) async throws {
        try await useapiExample("mjs", key: "API token", email: email, api)
    }

    @Test(.needsPython, arguments: [nil, "Previously configured account email"], SimulatedAPI.either)
    func `useapi's requests example works`(email: String?, api: SimulatedAPI) async throws {
        try await useapiExample("py", key: "API token", email: email, api)
    }

    @Test(.needsPython) func `libraries for Standard Webhooks accept callbacks and reject forgeries`() async throws {
        let settings = "callbacks: { allow: [127.0.0.0/8] }\nquery: { freshness: 50ms }\n"
        try await Rig.run(settings: settings, isPublic: true, duration: 500...500) { rig in
            let secret = try await rig.command("webhooks", "secret", "--tenant", "shop")
                .trimmingCharacters(in: .whitespacesAndNewlines)
            let receiver = try RealClient.start("webhook.py", ["SECRET": secret])
            let url = try await receiver.outputLine { $0.hasPrefix("http") ? String($0) : nil }
            _ = try await rig.createdTask(#""callback_url":"\#(url)""#)
            let outcome = try await receiver.end()
            #expect(outcome.status == 0, "\(outcome.errors)")
            let statuses = outcome.output.split(separator: "\n").dropFirst()
            #expect(statuses.first == "submitted" && statuses.last == "succeed")
        }
    }

    @Test(.needsPython, arguments: SimulatedAPI.either)
    func `an agent makes a try-on through MCP with OpenTryOn's adapter`(api: SimulatedAPI) async throws {
        try await Rig.run([.speaking(api)], isPublic: true) { rig in
            let keys = try await PrintedKey.made(rig)
            try await RealClient.run(
                "opentryon_mcp.py",
                ["GATEWAY": rig.gateway.url, "ACCESS_KEY": keys.accessKey, "SECRET_KEY": keys.secretKey])
            #expect(rig.creates() == 1)
        }
    }
}
