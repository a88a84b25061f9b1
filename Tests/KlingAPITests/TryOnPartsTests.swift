import Base
import Foundation
import Testing

@testable import KlingAPI

struct TryOnPartsTests {
    private func slice(_ bytes: [UInt8], at start: Int = 0) -> ByteSlice {
        ByteSlice(Bytes([UInt8](repeating: 0xFF, count: start) + bytes + [0x22]), start..<start + bytes.count)
    }

    private func parts(_ human: TryOnParts.Picture, _ cloth: TryOnParts.Picture? = nil) -> TryOnParts {
        TryOnParts(model: "kolors-virtual-try-on-v1-5", human: human, cloth: cloth ?? .url("https://a.example/b"))
    }

    private func sent(_ request: TryOnRequest) throws -> [String: Any] {
        try members(joined(request.upstreamBody(externalTaskID: "GW1", callbackURL: nil)))
    }

    @Test func `the request has everything that was given`() async throws {
        var parts = parts(.url("https://a.example/\u{E9}\"\\a"))
        (parts.externalTaskID, parts.callbackURL) = ("order \"1\"", "https://shop.example/kling")
        let request = try await parts.request()
        #expect(request.model == "kolors-virtual-try-on-v1-5")
        #expect(request.externalTaskID == "order \"1\"")
        #expect(request.callbackURL?.text == "https://shop.example/kling")
        #expect(request.human == .url && request.cloth == .url)
        let sent = try sent(request)
        #expect(sent["human_image"] as? String == "https://a.example/%C3%A9\"\\a")
        #expect(sent["model_name"] as? String == "kolors-virtual-try-on-v1-5")
        #expect(sent["external_task_id"] as? String == "GW1")
    }

    @Test(arguments: [0, 1, 2, 3 << 18, (3 << 18) + 1, 2_000_000])
    func `a file of any length becomes its base64`(tail: Int) async throws {
        let file = Samples.png(tail: tail)
        let request = try await parts(.file(slice(file, at: 7)), .file(slice(Samples.jpeg()))).request()
        let sent = try sent(request)
        #expect(sent["human_image"] as? String == Samples.base64(file))
        #expect(sent["cloth_image"] as? String == Samples.base64(Samples.jpeg()))
    }

    @Test(arguments: [
        ("", ""), ("data:image/png;base64,", ""), ("", "\r\n"), ("", "\\n"), ("\\u0064ata:a;base64,", "\t"),
    ])
    func `base64 is accepted as in JSON and as in a form`(prefix: String, mark: String) async throws {
        let text = Samples.base64(Samples.png())
        let broken = prefix + String(text.prefix(20)) + mark + String(text.dropFirst(20))
        let request = try await parts(.base64(slice(Array(broken.utf8)))).request()
        #expect(try sent(request)["human_image"] as? String == text)
    }

    @Test func `a text may also be a URL`() async throws {
        let request = try await parts(.base64(slice(Array(#"https:\/\/a.example\/b"#.utf8)))).request()
        #expect(request.human == .url)
        #expect(request.pictureURL(.human) == "https://a.example/b")
    }

    @Test(arguments: [[0x22], [0x41, 0], [0xC3, 0xA9], [0x41, 0x41, 0x7F, 0xFF]] as [[UInt8]])
    func `a text that cannot be a picture is refused, naming the field`(text: [UInt8]) async {
        let error = await #expect(throws: ParameterError.self) { try await parts(.base64(slice(text))).request() }
        #expect(error?.parameter == "human_image")
        #expect(error?.message == "human_image is neither an http(s) URL nor base64.")
    }

    @Test func `the rules of every create apply`() async {
        let cases: [(TryOnParts, String)] = [
            (parts(.file(slice([]))), "human_image"),
            (parts(.file(slice(Array("GIF89a".utf8)))), "human_image"),
            (parts(.url("https://a.example/b"), .file(slice(Samples.png(width: 20)))), "cloth_image"),
            (TryOnParts(model: "gpt-image-1", human: .url("http://a"), cloth: .url("http://a")), "model_name"),
        ]
        for (parts, parameter) in cases {
            let error = await #expect(throws: ParameterError.self) { try await parts.request() }
            #expect(error?.parameter == parameter)
        }
    }

    @Test func `the memory reservation is kept until the request is released`() async throws {
        final class Lease: Sendable {}
        var lease: Lease? = Lease()
        weak let seen = lease
        var request: TryOnRequest? = try await parts(.url("https://a.example/b")).request(keeping: lease)
        lease = nil
        #expect(seen != nil)
        #expect(request?.human == .url)
        request = nil
        #expect(seen == nil)
    }
}
