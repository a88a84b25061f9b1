import Base
import HTTPClient
import KlingAPI
import KlingSimulator
import Testing

struct SolutionsLoopbackTests {
    private static let create = "/solutions/virtual_try_on"
    private static let limit = 10_485_760

    /// As much of a PNG file as is checked, and zeros up to `count` bytes.
    private static func png(_ width: UInt16, _ height: UInt16, count: Int = 40) -> [UInt8] {
        let size = [width, height].flatMap { [0, 0, UInt8($0 >> 8), UInt8($0 & 255)] }
        let head = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13] + Array("IHDR".utf8) + size
        return head + [UInt8](repeating: 0, count: count - head.count)
    }

    /// As much of a WebP file as is checked.
    private static func webp(_ chunk: String, _ content: [UInt8]) -> [UInt8] {
        Array("RIFF\0\0\0\0WEBP\(chunk)".utf8) + [0, 0, 0, 0] + content + [UInt8](repeating: 0, count: 20)
    }

    private static let files: [String: [UInt8]] = [
        "person.png": SamplePictures.person, "least.png": png(301, 2048), "most.png": png(2048, 2048, count: limit),
        "small.png": png(300, 2048), "large.png": png(301, 2049), "long.png": png(400, 400, count: limit + 1),
        "far.png": png(400, 400, count: limit + 100_000), "page": Array("<html></html>".utf8), "none": [],
        "gif": Array("GIF89a, but no picture that Kling takes".utf8), "cut.png": Array(png(400, 400).prefix(20)),
        "plain.webp": webp("VP8 ", [0, 0, 0, 0x9D, 1, 0x2A, 0x90, 1, 0x2D, 1]),
        "lossless.webp": webp("VP8L", [0x2F, 0x8F, 0x01, 0x4B, 0x00]),
        "extended.webp": webp("VP8X", [0, 0, 0, 0, 0xFF, 7, 0, 0x2C, 1, 0]),
        "small.webp": webp("VP8X", [0, 0, 0, 0, 0xFF, 7, 0, 0x2B, 1, 0]),
        "large.webp": webp("VP8X", [0, 0, 0, 0, 0, 8, 0, 0x2C, 1, 0]), "odd.webp": webp("VP8L", [0x2E]),
    ]

    /// What is wrong with each file; nil if it is accepted.
    private static let pictures: [(file: String, says: String?)] = [
        ("person.png", nil), ("least.png", nil), ("most.png", nil), ("plain.webp", nil), ("lossless.webp", nil),
        ("extended.webp", nil), ("small.png", "shortest side must exceed 300px"),
        ("large.png", "longest side must not exceed 2048px"), ("long.png", "limit of 10MB"),
        ("far.png", "limit of 10MB"),
        ("page", "only jpg, jpeg, png and webp"), ("none", "only jpg, jpeg, png and webp"),
        ("gif", "only jpg, jpeg, png and webp"), ("cut.png", "only jpg, jpeg, png and webp"),
        ("small.webp", "is 2048 x 300 pixels"), ("large.webp", "is 2049 x 301 pixels"),
        ("odd.webp", "only jpg, jpeg, png and webp"), ("nothing.png", "cannot be fetched: HTTP 404"),
        ("moved.png", "cannot be fetched: HTTP 302"),
    ]

    @Test func `a create's pictures are fetched, and unsuitable ones are refused`()
        async throws
    {
        let host = try await PictureHost(Self.files)
        try await Simulator.run {
            $0.accounts[0].api = .solutions
            $0.accounts[0].concurrency = nil
        } body: { simulator in
            for row in Self.pictures {
                let url = "\(host.url)/\(row.file)"
                let person = try await simulator.post(
                    Simulation.solution(person: url, garment: host.url + "/person.png"), to: Self.create)
                let answer = try #require(KlingAnswer(person.body))
                #expect(
                    answer.code == (row.says == nil ? .ok : .invalidParameter), "\(row.file): \(answer.message)")
                guard let says = row.says else { continue }
                #expect(person.status == 400)
                #expect(answer.message.hasPrefix("contents[1].url ") && answer.message.contains(says))
                let garment = try await simulator.post(
                    Simulation.solution(person: host.url + "/person.png", garment: url), to: Self.create)
                #expect(KlingAnswer(garment.body)?.message.hasPrefix("contents[0].url ") == true)
            }
            #expect(simulator.simulator.tasks.count == Self.pictures.count { $0.says == nil })
        }
        await host.stop()
    }

    @Test func `a create with unreachable pictures is refused, unless pictures are not fetched`() async throws {
        let host = try await PictureHost([:])
        await host.stop()
        for fetches in [true, false] {
            try await Simulator.run {
                $0.accounts[0].api = .solutions
                $0.fetchesPictures = fetches
            } body: { simulator in
                let body = Simulation.solution(person: host.url + "/a", garment: host.url + "/b")
                let answer = KlingAnswer(try await simulator.post(body, to: Self.create).body)
                #expect(answer?.code == (fetches ? .invalidParameter : .ok))
                #expect(!fetches || answer?.message == "contents[0].url cannot be fetched: connect")
            }
        }
    }

    @Test func `pictures are fetched only for creates that may make a task`() async throws {
        try await Simulator.run { _ in
        } body: { simulator in
            // The simulator's own address serves no picture, which shows only if it is fetched.
            let body = Simulation.solution(person: simulator.simulator.url, garment: simulator.simulator.url)
            let before = try await simulator.post(body, to: Self.create)
            simulator.simulator.set(.both, account: "first")
            let after = try await simulator.post(body, to: Self.create)
            #expect([before, after].map { KlingAnswer($0.body)?.code } == [.invalidMethod, .invalidParameter])
        }
    }

    @Test func `a task is made, called back under two secrets, found, listed and shown`() async throws {
        let (host, receiver, clock) = (try await PictureHost(Self.files), try await Receiver(), SteppedClock())
        let secrets = [3, 4].map { WebhookSignature.secret(key: [UInt8](repeating: $0, count: 32)) }
        try await Simulator.run {
            $0.accounts[0].api = .solutions
            $0.duration = 4...4
            $0.now = { clock.now }
            $0.webhookSignatures = secrets.compactMap { WebhookSignature($0) }
        } body: { simulator in
            let options = Simulation.named("x", #","callback_url":"\#(receiver.url)""#)
            let person = host.url + "/person.png"
            let made = try await simulator.post(
                Simulation.solution(person: person, garment: person, options), to: Self.create)
            #expect(made.status == 200)
            var statuses: [String?] = []
            for await message in receiver.messages {
                for secret in secrets { #expect(message.isSigned(with: secret)) }
                statuses.append(JSONObject(message.body)?.string("status"))
                if statuses.count == 3 { break }
                clock.advance(milliseconds: 3)
            }
            #expect(statuses == ["submitted", "processing", "succeeded"])
            let found = JSONObject(try await simulator.get("/solutions?external_task_ids=x").body)?.objects("data")?
                .first
            #expect(found?.string("status") == "succeed")
            let picture = try await simulator.get(absolute: #require(found?.objects("outputs")?.first?.string("url")))
            #expect(picture.headers["content-type"] == "image/png")
            let listed = JSONObject(try await simulator.post(Array("{}".utf8), to: "/solutions").body)?.object("data")
            #expect(listed?.objects("result")?.first?.string("id") == found?.string("id"))
        }
        await receiver.stop()
        await host.stop()
    }

    @Test func `a test callback is sent on request and signed`() async throws {
        let receiver = try await Receiver()
        let secret = WebhookSignature.secret(key: [UInt8](repeating: 5, count: 32))
        try await Simulator.run {
            $0.webhookSignatures = [WebhookSignature(secret)].compactMap { $0 }
        } body: { simulator in
            let body = Array(#"{"url":"\#(receiver.url)"}"#.utf8)
            #expect(try await simulator.post(body, to: "/_simulator/test-callback").status == 200)
            #expect(simulator.simulator.sendTestCallback(to: receiver.url))
            #expect(!simulator.simulator.sendTestCallback(to: "nowhere"))
            var messages = receiver.messages.makeAsyncIterator()
            for _ in 0..<2 {
                let message = try #require(await messages.next())
                #expect(message.isSigned(with: secret))
                #expect(JSONObject(message.body)?.string("status") == "submitted")
            }
        }
        await receiver.stop()
    }
}
