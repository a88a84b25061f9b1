import Base
import Foundation
import KlingAPI
import Testing

struct MutationTests {
    /// Seeded, so that a failure can be reproduced.
    private struct Random: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 29
        }
    }

    private static let seeds: [String] = {
        let picture = Samples.base64(Samples.png(tail: 31))
        let escaped = ("data:image/png;base64," + picture).replacingOccurrences(of: "/", with: "\\/")
        return [
            create([("model_name", "\"kolors-virtual-try-on-v1\""), ("human_image", urlA), ("cloth_image", urlB)]),
            create([
                ("x", "[1,2.5e3,null]"), ("human_image", "\"\(picture)\""), ("callback_url", "\"https://a.example/b\""),
                ("keep_face", "false"), ("watermark", "{\"enabled\":true}"),
                ("cloth_image", "\"\(escaped)\""), ("external_task_id", "\"id \\u00e9\""),
                ("y", "{\"é\":\"\\ud83d\\ude00\"}"),
            ]),
        ]
    }()

    private static let splices: [String] = [
        "\"", "\\", "\\u0061", "{", "}", "[", "]", ",", ":", "null", "\u{0}", "é", "=", " ", "\\n", "1e400",
        "model", "-",
    ]

    private func mutate(_ bytes: [UInt8], _ random: inout Random) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes.remove(at: place)
            case 2: bytes.insert(contentsOf: (Self.splices.randomElement(using: &random) ?? "").utf8, at: place)
            case 3: bytes.swapAt(place, Int.random(in: 0..<bytes.count, using: &random))
            default: bytes.insert(contentsOf: bytes[place..<min(place + 20, bytes.count)], at: place)
            }
        }
        return bytes
    }

    /// The values that must arrive: the client's, apart from what the gateway sets itself and from repaired pictures.
    private func expected(_ client: [String: Any], _ request: TryOnRequest) -> [String: Any] {
        var expected = client
        let settings = ["keep_face", "keep_pose", "keep_background", "watermark"]
        for name in ["model", "callback_url"] + (request.settings.isDefault ? settings : []) { expected[name] = nil }
        expected["model_name"] = request.model
        expected["external_task_id"] = "GW"
        if request.human != .url { expected["human_image"] = "base64" }
        if request.cloth != .url { expected["cloth_image"] = "base64" }
        return expected
    }

    @Test(arguments: 0..<4)
    func `an accepted body arrives as another parser reads it`(seed: Int) async throws {
        var random = Random(state: UInt64(seed) + 99)
        var accepted = 0
        for round in 0..<3000 {
            let bytes = mutate(Array(Self.seeds[round % Self.seeds.count].utf8), &random)
            guard let request = try? await TryOnRequest.parse(Bytes(bytes)) else { continue }
            accepted += 1
            let text = String(decoding: bytes, as: UTF8.self)
            guard let client = try? members(bytes) else {
                // Half a surrogate pair in a member that means nothing is passed on; Foundation refuses it.
                let surrogate = text.range(of: #"\\u[dD][89a-fA-F]"#, options: .regularExpression)
                #expect(surrogate != nil, "accepted invalid JSON: \(text)")
                continue
            }
            var sent = try members(joined(request.upstreamBody(externalTaskID: "GW", callbackURL: nil)))
            for field in PictureField.allCases where (field == .human ? request.human : request.cloth) == .url {
                #expect(sent[field.rawValue] as? String == request.pictureURL(field), "\(text)")
                sent[field.rawValue] = client[field.rawValue]
            }
            for field in PictureField.allCases where (field == .human ? request.human : request.cloth) != .url {
                let picture = try #require(sent[field.rawValue] as? String)
                #expect(Data(base64Encoded: picture) != nil, "\(text)")
                sent[field.rawValue] = "base64"
            }
            #expect(NSDictionary(dictionary: sent) == NSDictionary(dictionary: expected(client, request)), "\(text)")
        }
        #expect(accepted > 50)
    }

    @Test func `a body in slices says the same as one in a single block`() async throws {
        let large = "\"pad\":\"\(String(repeating: "p", count: TryOnRequest.gatheringThreshold))\","
        for seed in Self.seeds {
            let small = joined(try await parse(seed).upstreamBody(externalTaskID: "GW", callbackURL: "https://g/c"))
            let slices = try await parse("{" + large + seed.dropFirst())
                .upstreamBody(externalTaskID: "GW", callbackURL: "https://g/c")
            #expect(slices.count > 1)
            var sent = try members(joined(slices))
            sent["pad"] = nil
            #expect(NSDictionary(dictionary: sent) == NSDictionary(dictionary: try members(small)))
        }
    }
}
