import Base
import EventLoop
import HTTPServer
import KlingAPI
import Pictures
import TestKit
import Testing

@testable import Gateway

/// Fetching, stitching and normalizing pictures, and the errors that name the field.
@Suite(.onEventLoop)
struct PictureServiceTests {
    @Test func `two garments, one by URL and one as base64, become one picture`() async throws {
        let fixture = ServiceFixture([
            "https://shop.example/top.png": .picture(SamplePicture.png(width: 400, height: 400))
        ])
        let made = try await fixture.oneGarment(
            upper: GivenPicture("upperInput", .url("https://shop.example/top.png")),
            lower: GivenPicture("lowerInput", .base64(SamplePicture.dataURL(width: 300, height: 500))))
        let header = try ImageHeader.check(file: ByteSlice(made, 0..<made.count))
        #expect(header.format == .jpeg)
        #expect((header.width, header.height) == (400, 900))
    }

    @Test func `a picture counts in the budget until it is released`() async throws {
        let fixture = ServiceFixture([
            "https://shop.example/a": .picture(SamplePicture.png(width: 400, height: 400))
        ])
        var made: Bytes? = try await fixture.oneGarment(
            upper: GivenPicture("a", .url("https://shop.example/a")),
            lower: GivenPicture("b", .file(SamplePicture.file(SamplePicture.png(width: 300, height: 300)))))
        #expect(fixture.budget.used == made?.count)
        made = nil
        // The worker may hold it for a moment longer.
        while fixture.budget.used > 0 { await Task.yield() }
        await #expect(throws: GatewayError.self) {
            _ = try await fixture.oneGarment(
                upper: GivenPicture("a", .url("https://shop.example/a")),
                lower: GivenPicture("b", .url("https://shop.example/missing")))
        }
        #expect(fixture.budget.used == 0)
    }

    @Test func `a file that needs no change is kept as it is, and a converted one counts in the budget`() async throws {
        let fixture = ServiceFixture([:])
        let fine = SamplePicture.file(SamplePicture.webP)
        let same = try await fixture.prepared(fine)
        #expect(same.file.bytes === fine.bytes && same.format == .webp)
        while fixture.budget.used > 0 { await Task.yield() }
        var made = try await fixture.prepared(SamplePicture.file(SamplePicture.png(width: 2_100, height: 400)))
        #expect(made.format == .jpeg && fixture.budget.used == made.file.count)
        made = same
        while fixture.budget.used > 0 { await Task.yield() }
        let small = SamplePicture.file(SamplePicture.png(width: 300, height: 300))
        let error = await #expect(throws: GatewayError.self) { _ = try await fixture.prepared(small) }
        #expect(
            error?.parameter == "human_image"
                && error?.message.hasPrefix(
                    "human_image is 300 x 300 pixels: the shortest side must be more than 300 pixels") == true
        )
        #expect(fixture.budget.used == 0)
    }

    @Test(arguments: [
        ("https://shop.example/missing", "its server answered 404"),
        ("https://shop.example/late", "its server was too slow"),
        ("https://shop.example/large", "larger than a picture may be"),
        ("https://shop.example/page", "is an HTML or XML page"),
        ("https://shop.example/small", "is 299 x 300 pixels"),
        ("https://shop.example/round", "redirects more than 3 times"),
        ("https://shop.example/inside", "redirects to an address that this gateway does not call"),
        ("http://10.0.0.7/a.png", "names an address that this gateway does not fetch from"),
        ("https://shop.example/nowhere", "its server answered 302"),
    ])
    func `an error names the field and what was found`(_ url: String, _ words: String) async throws {
        let fixture = ServiceFixture(Self.web)
        for (upper, lower, field) in [
            (url, "https://shop.example/fine", "image[1]"), ("https://shop.example/fine", url, "image[2]"),
        ] {
            do {
                _ = try await fixture.oneGarment(
                    upper: GivenPicture("image[1]", .url(upper)), lower: GivenPicture("image[2]", .url(lower)))
                Issue.record("no error")
            } catch {
                let error = try #require(error as? GatewayError)
                #expect(error.cause == .badParameter && error.parameter == field)
                #expect(error.message.hasPrefix(field) && error.message.contains(words), "\(error.message)")
                #expect(!error.message.contains("10.0.0."), "no address is revealed")
            }
        }
        #expect(fixture.budget.used == 0)
    }

    private static let web: [String: Page] = [
        "https://shop.example/fine": .picture(SamplePicture.png(width: 300, height: 300)),
        "https://shop.example/late": .failure(.timeout), "https://shop.example/large": .failure(.tooLarge),
        "https://shop.example/page": .picture(Array("<!doctype html>".utf8)),
        "https://shop.example/small": .picture(SamplePicture.png(width: 299, height: 300)),
        "https://shop.example/round": .redirect("https://shop.example/round"),
        "https://shop.example/inside": .redirect("http://10.0.0.7/a.png"),
        "http://10.0.0.7/a.png": .picture(SamplePicture.png(width: 300, height: 300)),
        "https://shop.example/nowhere": .redirect(nil),
    ]

    @Test func `three redirects are followed`() async throws {
        let fixture = ServiceFixture([
            "https://shop.example/a": .redirect("https://cdn.example/a"),
            "https://cdn.example/a": .redirect("https://cdn.example/b"),
            "https://cdn.example/b": .redirect("https://cdn.example/c"),
            "https://cdn.example/c": .picture(SamplePicture.png(width: 300, height: 300)),
        ])
        let picture = GivenPicture("image", .url("https://shop.example/a"))
        _ = try await fixture.oneGarment(upper: picture, lower: picture)
        #expect(fixture.web.asked.count == 8)
        #expect(fixture.web.asked.allSatisfy { $0.origin == .client && $0.timeout <= .seconds(15) })
    }

    @Test func `a URL with an unsupported scheme is refused as base64`() async throws {
        let fixture = ServiceFixture([:])
        let wrong = GivenPicture("lowerInput", .base64(ByteSlice(copying: "ftp://shop.example/a")))
        let right = GivenPicture("upperInput", .file(SamplePicture.file(SamplePicture.png(width: 300, height: 300))))
        do {
            _ = try await fixture.oneGarment(upper: right, lower: wrong)
            Issue.record("no error")
        } catch {
            let error = try #require(error as? GatewayError)
            #expect(error.parameter == "lowerInput" && error.message.contains("scheme 'ftp'"), "\(error.message)")
        }
    }

    @Test func `at most four pictures per tenant are fetched at once`() async throws {
        let fixture = ServiceFixture(["https://shop.example/a": .held(SamplePicture.png(width: 300, height: 300))])
        let picture = GivenPicture("image", .url("https://shop.example/a"))
        let work = (0..<4).map { _ in
            EventLoop.current.spawn { try? await fixture.oneGarment(upper: picture, lower: picture) }
        }
        await fixture.web.wait(forAsked: 4)
        #expect(fixture.web.asked.count == 4, "the other four wait for their turn")
        fixture.web.release()
        for work in work { #expect(await work.value != nil) }
        #expect(fixture.web.asked.count == 8 && fixture.web.mostAtOnce <= 4)
    }

    @Test func `a result may be on the account's own host, but on no other internal host`() async throws {
        let png = SamplePicture.png(width: 300, height: 300)
        let fixture = ServiceFixture([
            "http://10.0.0.7/a.png": .picture(png), "http://10.0.0.8:8080/results/1.png": .picture(png),
            "https://cdn.example/1.png": .picture(png),
        ])
        for url in ["http://10.0.0.8:8080/results/1.png", "https://cdn.example/1.png"] {
            let result = try await fixture.result(url)
            #expect(result.withUnsafeBytes { Array($0) } == png)
        }
        #expect(fixture.web.asked.map(\.origin) == [.account(caFile: nil), .client])
        do {
            _ = try await fixture.result("http://10.0.0.7/a.png")
            Issue.record("no error")
        } catch {
            #expect((error as? GatewayError)?.cause == .upstreamFailed)
        }
    }

    // MARK: Normalizing

    @Test func `pictures to be normalized are fetched and sent as base64`() async throws {
        let fixture = ServiceFixture([
            "https://shop.example/person": .picture(SamplePicture.webP),
            "https://shop.example/shirt": .picture(SamplePicture.png(width: 300, height: 300)),
        ])
        let made = try await fixture.replacements(
            human: "https://shop.example/person", cloth: "https://shop.example/shirt")
        let human = try #require(Self.file(made.human))
        #expect(human.starts(with: [0xFF, 0xD8, 0xFF]), "WebP has become JPEG")
        #expect(
            Self.file(made.cloth) == SamplePicture.png(width: 300, height: 300), "what needs nothing is sent as it was")
    }

    @Test func `base64 that needs no change is left in place`() async throws {
        let fixture = ServiceFixture([:])
        let text = Base64.encode(SamplePicture.png(width: 300, height: 300))
        let made = try await fixture.replacements(human: text, cloth: text)
        #expect(made.human == nil && made.cloth == nil)
        #expect(fixture.budget.used == 0)
    }

    @Test func `a URL that cannot be fetched is left to Kling, but an invalid picture is an error`() async throws {
        let fixture = ServiceFixture(Self.web)
        let fine = "https://shop.example/fine"
        for url in ["https://shop.example/missing", "https://shop.example/late", "http://10.0.0.7/a.png"] {
            let made = try await fixture.replacements(human: url, cloth: fine)
            #expect(made.human == nil && made.cloth != nil)
        }
        for url in ["https://shop.example/page", "https://shop.example/small"] {
            do {
                _ = try await fixture.replacements(human: fine, cloth: url)
                Issue.record("no error")
            } catch {
                #expect((error as? GatewayError)?.parameter == "cloth_image")
            }
        }
    }

    private static func file(_ text: ByteSlice?) -> [UInt8]? {
        text.flatMap { text in text.withUnsafeBytes { Base64.decode(Array($0)) } }
    }
}

// MARK: Support

/// What a URL leads to.
private enum Page {
    case picture([UInt8])
    case redirect(String?)
    case failure(PictureFetchFailure.Reason)
    /// A picture that is held back until ``Web/release()``.
    case held([UInt8])
}

/// A web of a few pages. Clients may not name addresses that begin with `10.`.
private final class Web: PictureSource {
    private struct State {
        var asked: [PictureFetch] = []
        var running = 0
        var mostAtOnce = 0
        var isReleased = false
        var held: [CheckedContinuation<Void, Never>] = []
        var waiters: [(count: Int, waiter: CheckedContinuation<Void, Never>)] = []
    }

    private let pages: [String: Page]
    private let state = Lock(State())

    init(_ pages: [String: Page]) { self.pages = pages }

    var asked: [PictureFetch] { state.withLock { $0.asked } }
    var mostAtOnce: Int { state.withLock { $0.mostAtOnce } }

    func fetch(_ picture: PictureFetch) async throws(PictureFetchFailure) -> PictureReply {
        note(picture)
        defer { state.withLock { $0.running -= 1 } }
        switch pages[picture.url] {
        case .picture(let file): return PictureReply(status: 200, body: file)
        case .redirect(let location): return PictureReply(status: 302, location: location)
        case .failure(let reason): throw PictureFetchFailure(reason, detail: "10.0.0.9")
        case .held(let file):
            await hold()
            return PictureReply(status: 200, body: file)
        case nil: return PictureReply(status: 404)
        }
    }

    func refusal(of url: String) -> AddressRefusal? { url.contains("://10.") ? .address : nil }

    private func note(_ picture: PictureFetch) {
        let reached = state.withLock { state in
            state.asked.append(picture)
            state.running += 1
            state.mostAtOnce = max(state.mostAtOnce, state.running)
            let reached = state.waiters.filter { $0.count <= state.asked.count }
            state.waiters.removeAll { $0.count <= state.asked.count }
            return reached
        }
        for waiter in reached { waiter.waiter.resume() }
    }

    private func hold() async {
        await withCheckedContinuation { waiter in
            let isReleased = state.withLock { state in
                if !state.isReleased { state.held.append(waiter) }
                return state.isReleased
            }
            if isReleased { waiter.resume() }
        }
    }

    func wait(forAsked count: Int) async {
        await withCheckedContinuation { waiter in
            let isThere = state.withLock { state in
                if state.asked.count < count { state.waiters.append((count, waiter)) }
                return state.asked.count >= count
            }
            if isThere { waiter.resume() }
        }
    }

    func release() {
        let held = state.withLock { state in
            state.isReleased = true
            defer { state.held = [] }
            return state.held
        }
        for waiter in held { waiter.resume() }
    }
}

/// A picture service that fetches from a test's web, with an account on an internal host.
private struct ServiceFixture {
    let web: Web
    let budget = ByteBudget(capacity: 512 << 20)
    let service: PictureService

    init(_ pages: [String: Page]) {
        web = Web(pages)
        let account = Account(
            name: "kling", baseURL: "http://10.0.0.8:8080/kling", credential: .apiKey(Secret("secret")))
        service = PictureService(
            fetcher: PictureFetcher(source: web, budget: budget, observer: Silence(), accounts: [account]),
            workers: PictureWorkers())
    }

    func oneGarment(upper: GivenPicture, lower: GivenPicture) async throws -> Bytes {
        try await service.oneGarment(upper: upper, lower: lower, tenant: "shop")
    }

    func prepared(_ file: ByteSlice) async throws -> (file: ByteSlice, format: PictureFormat) {
        try await service.prepared(file, field: "human_image", tenant: "shop")
    }

    func result(_ url: String) async throws -> Bytes { try await service.result(url, tenant: "shop") }

    func replacements(human: String, cloth: String) async throws -> TryOnRequest.Replacements {
        let body = #"{"human_image":"\#(human)","cloth_image":"\#(cloth)"}"#
        let request = try await TryOnRequest.parse(Bytes(Array(body.utf8)))
        return try await service.replacements(for: PictureField.allCases, of: request, tenant: "shop")
    }
}
