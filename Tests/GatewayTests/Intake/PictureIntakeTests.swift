import Base
import EventLoop
import Foundation
import HTTPServer
import KlingAPI
import Pictures
import TestKit
import Testing

@testable import Gateway

/// Links to uploaded pictures, which become files before a create is sent.
@Suite(.onEventLoop, .timeLimit(.minutes(1))) struct PictureIntakeTests {
    private static let path = "/v1/images/kolors-virtual-try-on"
    private static let picture = SamplePicture.png(width: 400, height: 400)
    private static let elsewhere = "https://cdn.test/c.png"
    private static let never = String(repeating: "a", count: 32) + ".png"

    private let folder: TemporaryFolder
    private let store: AssetStore
    private let budget = ByteBudget(capacity: 64 << 20)

    init() throws {
        folder = try TemporaryFolder()
        store = try AssetStore(folder.path("assets"), bounds: AssetBounds(), now: 0)
    }

    private func intake(hasAssets: Bool = true, accounts: [Account] = []) -> PictureIntake {
        let service = PictureService.idle(budget)
        let assets = AssetHandler(
            assets: store, pictures: service, budget: budget, observer: Silence(),
            base: LinkBase(publicURL: "https://public.test", isSecure: false))
        return PictureIntake(
            assets: hasAssets ? assets : nil, service: service, budget: budget,
            reach: LinkPolicy(accounts: accounts, publicURL: "https://public.test"))
    }

    /// The name of a picture that a tenant has uploaded.
    private func upload(_ tenant: String = "shop", _ file: [UInt8] = picture) async throws -> String {
        try await store.keep(SamplePicture.file(file), format: .png, tenant: tenant).name
    }

    private func link(_ name: String, host: String = "gateway.test") -> String {
        "http://\(host)/v1/kling/assets/\(name)"
    }

    /// Runs `body` with a request of the tenant `shop`.
    private func admitted<Value: Sendable>(
        _ body: @escaping @Sendable (AdmittedRequest) async throws(GatewayError) -> Value
    ) async throws -> Result<Value, GatewayError> {
        let outcome = Lock<Result<Value, GatewayError>?>(nil)
        let budget = budget
        _ = try await exchange(post(Self.path, [])) { request in
            guard let admitted = try? AdmittedRequest(request, budget) else { return HTTPResponse(status: 500) }
            do throws(GatewayError) {
                let value = try await body(admitted)
                outcome.withLock { $0 = .success(value) }
            } catch {
                outcome.withLock { $0 = .failure(error) }
            }
            return HTTPResponse(status: 200)
        }
        return try #require(outcome.withLock { $0.take() })
    }

    private func inlined(_ request: TryOnRequest, hasAssets: Bool = true) async throws -> Result<
        TryOnRequest, GatewayError
    > {
        let intake = intake(hasAssets: hasAssets)
        return try await admitted { admitted throws(GatewayError) in try await intake.inlined(request, admitted) }
    }

    private func request(_ human: String, _ cloth: String) async throws -> TryOnRequest {
        try await TryOnRequest.parse(Bytes(Array(#"{"human_image":"\#(human)","cloth_image":"\#(cloth)"}"#.utf8)))
    }

    /// The file that a request has in place of a link.
    private func file(_ field: PictureField, _ request: TryOnRequest) throws -> [UInt8]? {
        let body = request.upstreamBody(externalTaskID: "t", callbackURL: nil)
        let bytes = body.flatMap { slice in slice.withUnsafeBytes { Array($0) } }
        let text = try #require(JSONObject(bytes)?.string(field == .human ? "human_image" : "cloth_image"))
        return text.hasPrefix("http") ? nil : Base64.decode(Array(text.utf8))
    }

    // MARK: Kling's shape

    @Test(arguments: [(true, true), (true, false), (false, true)])
    func `links to the tenant's uploads become files`(isHumanLinked: Bool, isClothLinked: Bool) async throws {
        let name = try await upload()
        let given = try await request(
            isHumanLinked ? link(name) : Self.elsewhere,
            isClothLinked ? link(name, host: "public.test") : Self.elsewhere)
        let made = try await inlined(given).get()
        #expect(try file(.human, made) == (isHumanLinked ? Self.picture : nil))
        #expect(try file(.cloth, made) == (isClothLinked ? Self.picture : nil))
    }

    @Test func `a create without links is left as it is`() async throws {
        let given = try await request(Self.elsewhere, Self.elsewhere)
        #expect(try await inlined(given).get() === given)
    }

    /// The host of a link; whether there is such a picture, and whether it is another tenant's; whether the link is
    /// left to Kling, or refused.
    @Test(arguments: [
        ("gateway.test", true, true, false), ("public.test", true, true, false), ("gateway.test", false, false, false),
        ("GATEWAY.TEST", false, false, false), ("other.test", true, true, true), ("other.test", false, false, true),
        // A link by another name of the gateway still finds the tenant's own picture.
        ("other.test", true, false, false),
    ])
    func `a link to no upload of the tenant is refused if it leads to this gateway`(
        host: String, exists: Bool, isForeign: Bool, isLeft: Bool
    ) async throws {
        let name = exists ? try await upload(isForeign ? "other" : "shop") : Self.never
        let given = try await request(Self.elsewhere, link(name, host: host))
        switch try await inlined(given) {
        case .success(let made):
            let isOwn = exists && !isForeign
            #expect(isLeft || isOwn)
            #expect(try file(.cloth, made) == (isOwn ? Self.picture : nil))
        case .failure(let error):
            #expect(!isLeft && error.cause == .badParameter && error.parameter == "cloth_image")
            #expect(error.message.hasPrefix("cloth_image links to a picture"))
        }
    }

    @Test func `without stored uploads, links are left to Kling`() async throws {
        let given = try await request(link(try await upload()), Self.elsewhere)
        #expect(try file(.human, try await inlined(given, hasAssets: false).get()) == nil)
    }

    @Test func `an upload whose file is gone is refused, and one that cannot be read is not the client's fault`()
        async throws
    {
        let name = try await upload()
        let file = try #require(store.find(name, tenant: "shop")).file
        let given = try await request(link(name), Self.elsewhere)
        try FileManager.default.removeItem(atPath: folder.path("assets/\(file)"))
        guard case .failure(let lost) = try await inlined(given) else {
            Issue.record("it is gone")
            return
        }
        #expect(lost.cause == .badParameter && lost.parameter == "human_image")
        try FileManager.default.createDirectory(
            atPath: folder.path("assets/\(file)"), withIntermediateDirectories: false)
        guard case .failure(let broken) = try await inlined(given) else {
            Issue.record("it cannot be read")
            return
        }
        #expect(broken.cause == .storeUnavailable)
    }

    @Test func `the memory of a file counts until its request is released`() async throws {
        let name = try await upload()
        let given = try await request(link(name), Self.elsewhere)
        var made: TryOnRequest? = try await inlined(given).get()
        #expect(budget.used == Base64.textCount(of: Self.picture.count))
        withExtendedLifetime(made) {}
        made = nil
        #expect(budget.used == 0)
    }

    // MARK: Outfits

    /// The body of the request that an outfit makes.
    private func outfit(
        _ human: GivenPicture, _ garment: Garment
    ) async throws -> Result<TryOnRequest, GatewayError> {
        let intake = intake()
        return try await admitted { admitted throws(GatewayError) in
            try await intake.outfit(human, wearing: garment, admitted).request(
                model: "kolors-virtual-try-on-v1-5", settings: TryOnSettings(), models: .documented,
                keeping: Bytes([]))
        }
    }

    @Test func `one garment stays as it is, and a link to it becomes a file`() async throws {
        let human = GivenPicture("image[0]", .url(Self.elsewhere))
        let linked = GivenPicture("image[1]", .url(link(try await upload())))
        let made = try await outfit(human, .one(linked)).get()
        #expect(try file(.human, made) == nil && file(.cloth, made) == Self.picture)
    }

    @Test func `two garments become one picture`() async throws {
        let human = GivenPicture("image[0]", .url(Self.elsewhere))
        let upper = GivenPicture("image[1]", .url(link(try await upload())))
        let lower = GivenPicture("image[2]", .file(SamplePicture.file(SamplePicture.png(width: 300, height: 500))))
        let made = try await outfit(human, .both(upper: upper, lower: lower)).get()
        let file = try #require(try file(.cloth, made))
        let header = try ImageHeader.check(file: SamplePicture.file(file))
        #expect(header.format == .jpeg && (header.width, header.height) == (400, 900))
    }

    @Test func `an error names the client's field`() async throws {
        let small = GivenPicture("image[0]", .file(SamplePicture.file([1, 2, 3])))
        let fine = GivenPicture("image[1]", .url(Self.elsewhere))
        let lost = GivenPicture("image[1]", .url(link(Self.never)))
        for (human, cloth, field) in [(small, fine, "image[0]"), (fine, lost, "image[1]")] {
            guard case .failure(let error) = try await outfit(human, .one(cloth)) else {
                Issue.record("no error")
                return
            }
            #expect(error.parameter == field && error.message.hasPrefix(field + " "), "\(error.message)")
        }
    }
}

extension PictureService {
    /// A service that fetches nothing.
    static func idle(_ budget: ByteBudget) -> PictureService {
        let fetcher = PictureFetcher(source: NoPictures(), budget: budget, observer: Silence(), accounts: [])
        return PictureService(fetcher: fetcher, workers: PictureWorkers())
    }
}
