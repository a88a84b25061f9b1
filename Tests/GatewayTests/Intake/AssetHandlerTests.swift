import Base
import Foundation
import HTTPServer
import TestKit
import Testing

@testable import Gateway

/// Uploads, and downloads of what was uploaded.
@Suite(.onEventLoop, .timeLimit(.minutes(1))) struct AssetHandlerTests {
    private static let path = "/v1/kling/assets/"
    private static let picture = SamplePicture.png(width: 400, height: 400)

    private let folder: TemporaryFolder
    private let store: AssetStore
    private let budget = ByteBudget(capacity: 64 << 20)

    init() throws {
        folder = try TemporaryFolder()
        store = try AssetStore(folder.path("assets"), bounds: AssetBounds(), now: 0)
    }

    private func handler(publicURL: String? = nil, isSecure: Bool = false) -> AssetHandler {
        AssetHandler(
            assets: store, pictures: PictureService.idle(budget), budget: budget, observer: Silence(),
            base: LinkBase(publicURL: publicURL, isSecure: isSecure))
    }

    /// Runs `body` with a request of a tenant, and returns the answer to its client.
    private func ask(
        _ bytes: [UInt8], tenant: String = "shop",
        _ body: @escaping @Sendable (AdmittedRequest) async throws(GatewayError) -> HTTPResponse
    ) async throws -> RawClient.Answer {
        let budget = budget
        return try await exchange(bytes, budget: budget) { request in
            guard let admitted = try? AdmittedRequest(request, tenant: tenant, budget) else {
                return HTTPResponse(status: 500)
            }
            do throws(GatewayError) {
                return try await body(admitted)
            } catch {
                return ErrorAnswer.response(to: error, shape: .useapi, requestID: "r")
            }
        }
    }

    private func upload(
        _ handler: AssetHandler, _ body: [UInt8] = picture, _ fields: [String] = ["Host: gateway.test:8080"],
        limit: Int = 1 << 20
    ) async throws -> RawClient.Answer {
        try await ask(post(Self.path, body, fields)) { admitted throws(GatewayError) in
            try await handler.upload(admitted, bodyLimit: limit)
        }
    }

    private func download(_ name: String, tenant: String = "shop") async throws -> RawClient.Answer {
        let handler = handler()
        let request = "GET \(Self.path)\(name) HTTP/1.1\r\nHost: gateway.test\r\n\r\n"
        return try await ask(Array(request.utf8), tenant: tenant) { admitted throws(GatewayError) in
            try await handler.download(admitted)
        }
    }

    // MARK: Uploads

    @Test(
        arguments: [
            (nil, false, ["Host: gateway.test:8080"], "http://gateway.test:8080"),
            (nil, true, ["Host: gateway.test"], "https://gateway.test"),
            ("https://public.test/kling", false, ["Host: gateway.test"], "https://public.test/kling"),
        ] as [(String?, Bool, [String], String)])
    func `a link begins with the URL at which clients reach the gateway`(
        publicURL: String?, isSecure: Bool, fields: [String], base: String
    ) async throws {
        let answer = try await upload(handler(publicURL: publicURL, isSecure: isSecure), Self.picture, fields)
        let name = try #require(answer.json["fileName"] as? String)
        #expect(answer.status == 200 && answer.json["status"] as? Int == 3)
        #expect(answer.json["url"] as? String == base + Self.path + name && name.hasSuffix(".png"))
        #expect(store.find(name, tenant: "shop")?.bytes == Self.picture.count)
    }

    private static let refusals: [(body: [UInt8], fields: [String], status: Int)] = [
        (picture, ["Host: g", "Content-Type: multipart/form-data; boundary=b"], 415),
        (picture, ["Host: g", "Content-Type: image/png", "Content-Type: Multipart/Mixed"], 415),
        (Array("<html>".utf8), ["Host: g"], 400), ([], ["Host: g"], 400),
        ([UInt8](repeating: 7, count: (1 << 20) + 1), ["Host: g"], 413),
    ]

    @Test(arguments: refusals.indices)
    func `anything but a picture alone is refused`(row: Int) async throws {
        let (body, fields, status) = Self.refusals[row]
        let answer = try await upload(handler(), body, fields)
        #expect(answer.status == status, "\(answer.text)")
        #expect(store.figures == (0, 0))
    }

    @Test func `without a Host there is no link`() async throws {
        let request = Array("POST \(Self.path) HTTP/1.0\r\nContent-Length: 0\r\n\r\n".utf8)
        for (publicURL, status) in [(nil, 400), ("https://public.test", 400)] {
            let handler = handler(publicURL: publicURL)
            let answer = try await ask(request) { admitted throws(GatewayError) in
                try await handler.upload(admitted, bodyLimit: 1 << 20)
            }
            // With a URL of its own, the gateway gets as far as the body, which is empty.
            #expect(answer.status == status && answer.text.contains("no Host") == (publicURL == nil))
        }
    }

    @Test func `a picture that cannot be stored is the gateway's fault`() async throws {
        try FileManager.default.removeItem(atPath: folder.path("assets"))
        let answer = try await upload(handler())
        #expect(answer.status == 503 && !answer.text.contains(folder.path("assets")))
        #expect(store.figures == (0, 0))
    }

    // MARK: Downloads

    @Test func `a tenant gets its own picture back, and shared caches must not store it`() async throws {
        let name = try #require(try await upload(handler()).json["fileName"] as? String)
        let answer = try await download(name)
        #expect(answer.status == 200 && answer.body == Self.picture)
        #expect(answer["Content-Type"] == "image/png" && answer["X-Content-Type-Options"] == "nosniff")
        #expect(answer["Cache-Control"] == "private")
        #expect(budget.used == 0)
        for (name, tenant) in [(name, "other"), (String(repeating: "a", count: 32) + ".png", "shop"), ("x", "shop")] {
            #expect(try await download(name, tenant: tenant).status == 404)
        }
    }

    @Test func `a picture whose file is gone is not found, and one that cannot be read is the gateway's fault`()
        async throws
    {
        let name = try #require(try await upload(handler()).json["fileName"] as? String)
        let file = folder.path("assets/\(try #require(store.find(name, tenant: "shop")).file)")
        try FileManager.default.removeItem(atPath: file)
        #expect(try await download(name).status == 404)
        try FileManager.default.createDirectory(atPath: file, withIntermediateDirectories: false)
        #expect(try await download(name).status == 503)
    }
}
