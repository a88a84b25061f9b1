import Base
import Foundation
import KlingSimulator
import TestKit
import Testing

@testable import Pictures

/// Odd and damaged pictures in creates, in every client shape that accepts bytes.
@Suite(.aFewAtATime) struct OddPictureTests {
    /// Runs `body` with a Kling that records what it is sent.
    private func run(_ body: (Rig, Recorder) async throws -> Void) async throws {
        try await Recorder.kling { kling, url in
            try await Rig.run([Rig.Account(name: "kling", url: url)]) { rig in try await body(rig, kling) }
        }
    }

    /// A form to send the picture of a person as bytes, and its name in errors.
    enum UploadForm: String, CaseIterable, Sendable {
        case kling = "human_image"
        case openAIForm = "image"
        case openAIJSON = "image[0]"
        case useapi = "humanImage"
        case upload = "The body"

        func send(_ picture: [UInt8], to gateway: GatewayProcess) async throws -> RawClient.Answer {
            let text = Data(picture).base64EncodedString()
            let garment = "https://shop.example/shirt.png"
            func post(_ path: String, _ body: String) async throws -> RawClient.Answer {
                try await gateway.post(path, Array(body.utf8))
            }
            switch self {
            case .kling:
                return try await post(Fixture.path, #"{"human_image":"\#(text)","cloth_image":"\#(garment)"}"#)
            case .openAIForm: return try await EditForm([picture, SamplePictures.garment]).sent(to: gateway)
            case .openAIJSON:
                return try await post(EditForm.path, #"{"image":["data:image/png;base64,\#(text)","\#(garment)"]}"#)
            case .useapi: return try await post(Useapi.path, #"{"humanImage":"\#(text)","dressInput":"\#(garment)"}"#)
            case .upload: return try await gateway.post("/v1/kling/assets", picture)
            }
        }
    }

    /// Complete files: a JPEG and a PNG.
    private static let whole: [[UInt8]] = {
        let size = PictureSize(width: 320, height: 400)
        guard let raster = Raster(size, paint: { $0.update(repeating: 200) }),
            let jpeg = try? JPEGEncoder.encode(raster, atMost: 1 << 20)
        else { return [] }
        return [jpeg.withUnsafeBytes { Array($0) }, SamplePictures.person]
    }()

    @Test(arguments: UploadForm.allCases)
    func `a file that is cut off is refused before it is paid for, naming the member`(_ form: UploadForm) async throws {
        try #require(Self.whole.count == 2)
        try await run { rig, kling in
            for file in Self.whole {
                let answer = try await form.send(file.dropLast(10), to: rig.gateway)
                #expect(answer.status == 400, "\(answer.text)")
                #expect(answer.text.contains("is cut off"), "\(answer.text)")
                #expect(answer.text.contains(form.rawValue), "\(answer.text)")
            }
            #expect(kling.posts.isEmpty)
        }
    }

    @Test(arguments: [UploadForm.kling, .useapi])
    func `bytes after the end of a picture are sent unchanged`(_ form: UploadForm) async throws {
        try await run { rig, kling in
            for file in Self.whole {
                let motionPhoto = file + Array("\0\0\0\u{18}ftypmp42".utf8) + [UInt8](repeating: 9, count: 30_000)
                let answer = try await form.send(motionPhoto, to: rig.gateway)
                #expect(answer.status == 200, "\(answer.text)")
                let sent = kling.posts.last?.json["human_image"] as? String
                #expect(sent == Data(motionPhoto).base64EncodedString())
            }
        }
    }

    @Test(arguments: UploadForm.allCases)
    func `the error for Xcode's own PNG names the setting to change`(_ form: UploadForm) async throws {
        try await run { rig, kling in
            let packed =
                SamplePictures.person[..<8] + [0, 0, 0, 4] + Array("CgBI".utf8) + [0x50, 0, 0x20, 2, 1, 2, 3, 4]
            let answer = try await form.send(packed + SamplePictures.person[8...], to: rig.gateway)
            #expect(answer.status == 400 && answer.text.contains("Compress PNG Files"), "\(answer.text)")
            #expect(kling.posts.isEmpty)
        }
    }

    @Test(arguments: [
        ("GIF89a", "a GIF picture"), ("\0\0\0\u{20}ftypavif", "an AVIF picture"),
        ("\0\0\0\u{20}ftypheic", "a HEIC picture"), ("\0\0\0\u{0C}JXL \r\n", "a JPEG XL picture"),
    ])
    func `the error for an unsupported format names it`(_ start: String, _ name: String) async throws {
        try await run { rig, kling in
            for form in UploadForm.allCases {
                let answer = try await form.send(Array(start.utf8) + Array(repeating: 0, count: 99), to: rig.gateway)
                #expect(answer.status == 400 && answer.text.contains(name), "\(form): \(answer.text)")
            }
            #expect(kling.posts.isEmpty)
        }
    }

    @Test(.needsPython)
    func `odd pictures reach Kling unchanged, and WebP as JPEG`() async throws {
        let folder = try TemporaryFolder()
        let script = RealClient.folder.appending(path: "odd_pictures.py").path
        let made = try await Program(RealClient.python, [script, folder.url.path], environment: [:]).end()
        try #require(made.status == 0, "\(made.errors)")
        // Other tests decode the many samplings of JPEG.
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.url.path).filter {
            $0 != "index.json" && !$0.hasPrefix("sampling-")
        }
        #expect(names.count > 50)
        try await run { rig, kling in
            for name in names {
                let file = [UInt8](try Data(contentsOf: folder.url.appending(path: name)))
                let answer = try await UploadForm.kling.send(file, to: rig.gateway)
                #expect(answer.status == 200, "\(name): \(answer.text)")
                let sent = try #require(kling.posts.last?.json["human_image"] as? String)
                if name.hasSuffix(".webp") {
                    #expect(Data(base64Encoded: sent)?.starts(with: [0xFF, 0xD8, 0xFF]) == true, "\(name)")
                } else {
                    #expect(sent == Data(file).base64EncodedString(), "\(name)")
                }
            }
        }
    }

    @Test(arguments: [UploadForm.kling, .useapi])
    func `WebP is converted in more than one client shape`(_ form: UploadForm) async throws {
        let webP = try #require(Data(base64Encoded: NormalizingTests.webP))
        try await run { rig, kling in
            let answer = try await form.send([UInt8](webP), to: rig.gateway)
            #expect(answer.status == 200, "\(answer.text)")
            let sent = try #require(kling.posts.last?.json["human_image"] as? String)
            #expect(Data(base64Encoded: sent)?.starts(with: [0xFF, 0xD8, 0xFF]) == true)
        }
    }
}
