import Base
import Foundation
import KlingSimulator
import TestKit
import Testing

@testable import Pictures

/// Pictures of useapi.net's clients on their way to Kling: uploads, and two garments stitched into one.
@Suite(.aFewAtATime) struct UseapiPictureTests {
    private static let assets = "/v1/kling/assets"

    /// Runs `body` with a Kling that records what it is sent.
    private func run(_ settings: String = "", _ body: (Rig, Recorder) async throws -> Void) async throws {
        try await Recorder.kling { kling, url in
            try await Rig.run([Rig.Account(name: "kling", url: url)], settings: settings) { rig in
                try await body(rig, kling)
            }
        }
    }

    private func path(_ link: String) throws -> String { try #require(URL(string: link)).path() }

    @Test func `an uploaded picture is kept and sent in place of its link`() async throws {
        try await run { rig, kling in
            let answer = try await rig.gateway.post(Self.assets, SamplePictures.person, type: "image/png")
            #expect(answer.status == 200)
            #expect(Set(answer.json.keys) == ["status", "url", "message", "fileName"])
            #expect(answer.json["status"] as? Int == 3)
            let link = try #require(answer.json["url"] as? String)
            #expect(link.hasPrefix("http://127.0.0.1:\(rig.gateway.port)/v1/kling/assets/"))
            let name = try #require(answer.json["fileName"] as? String)
            #expect(link.hasSuffix("/" + name))
            let made = try await rig.gateway.job(person: link)
            #expect(made.status == 200, "\(made.text)")
            let sent = try #require(kling.posts.first).json
            #expect(sent["human_image"] as? String == Data(SamplePictures.person).base64EncodedString())
            #expect(sent["cloth_image"] as? String == Useapi.dress)
            let info = (made.json["task"] as? [String: Any])?["taskInfo"] as? [String: Any]
            #expect(((info?["inputs"] as? [[String: Any]])?.first)?["url"] as? String == link)
        }
    }

    @Test func `an uploaded picture belongs to its tenant alone and survives a restart`() async throws {
        try await run { rig, kling in
            let link = try await rig.gateway.uploaded(SamplePictures.garment)
            let path = try path(link)
            try await rig.kill()
            try await rig.start()
            let shown = try await rig.gateway.ask("GET", path)
            #expect(shown.status == 200 && shown.body == SamplePictures.garment)
            #expect(shown["Content-Type"] == "image/png")
            for answer in [
                try await rig.gateway.ask("GET", path, key: GatewayProcess.otherKey),
                try await rig.gateway.ask("GET", Self.assets + "/\(String(repeating: "a", count: 32)).png"),
            ] { #expect((answer.status, answer.useapiError != nil) == (404, true)) }
            #expect(try await rig.gateway.ask("GET", path, key: nil).status == 401)
            let here = "http://127.0.0.1:\(rig.gateway.port)\(path)"
            let foreign = try await rig.gateway.job(person: here, key: GatewayProcess.otherKey)
            #expect(
                foreign.status == 400 && foreign.useapiError?.hasPrefix("humanImage links to a picture") == true)
            #expect(try await rig.gateway.job(person: here).status == 200)
            #expect(kling.posts.count == 1)
        }
    }

    @Test func `links begin with the public URL if there is one`() async throws {
        try await run("public_url: https://tryon.example.com") { rig, kling in
            let link = try await rig.gateway.uploaded(SamplePictures.person)
            #expect(link.hasPrefix("https://tryon.example.com/v1/kling/assets/"))
            #expect(try await rig.gateway.job(person: link).status == 200)
            #expect(kling.posts.first?.json["human_image"] as? String != link)
        }
    }

    @Test func `only pictures that Kling accepts are kept`() async throws {
        try await run("limits: { body: 16MiB }") { rig, _ in
            for (body, type, status, message) in [
                (Array("GIF89a....".utf8), "image/png", 400, "The body is a GIF picture"),
                (Array(SamplePictures.person.prefix(20)), "image/png", 400, "The body begins like a PNG file"),
                (Self.header(width: 299, height: 400), "image/png", 400, "The body is 299 x 400 pixels"),
                ([], "image/png", 400, "The body is not a picture"),
                ([UInt8](repeating: 0, count: 10_485_761), "image/jpeg", 413, "The body is longer than 10485760"),
                (SamplePictures.person, "multipart/form-data; boundary=x", 415, "This path accepts only a picture"),
            ] {
                let answer = try await rig.gateway.post(Self.assets, body, type: type)
                #expect(answer.status == status, "\(message)")
                #expect(answer.useapiError?.hasPrefix(message) == true, "\(answer.text)")
            }
            #expect(try await rig.gateway.post(Self.assets, SamplePictures.person, type: "text/plain").status == 200)
            #expect(try await rig.gateway.post(Self.assets, SamplePictures.person, key: nil).status == 401)
        }
    }

    /// The start of a PNG file, which is all that is checked.
    private static func header(width: UInt32, height: UInt32) -> [UInt8] {
        func bytes(_ number: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - $0 * 8)) } }
        return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + bytes(13) + Array("IHDR".utf8) + bytes(width)
            + bytes(height) + [8, 2, 0, 0, 0]
    }

    // MARK: Two garments

    @Test func `an upper and a lower garment arrive whole, in one picture`() async throws {
        try await Fixture.run { samples in
            try await run("fetch: { allow: [127.0.0.0/8] }") { rig, kling in
                let lower = try await rig.gateway.uploaded(SamplePictures.person)
                let body = """
                    {"humanImage":"\(Useapi.person)","lowerInput":"\(lower)",
                    "upperInput":"\(samples.kling.url)/samples/garment.png"}
                    """
                let made = try await rig.gateway.post(Useapi.path, Array(body.utf8))
                #expect(made.status == 200, "\(made.text)")
                let sent = try #require(kling.posts.first).json
                #expect(sent["model_name"] as? String == "kolors-virtual-try-on-v1-5")
                let text = try #require(sent["cloth_image"] as? String)
                let file = try #require(Data(base64Encoded: text))
                try checkBothAreWhole(Array(file))
                let inputs = (made.json["task"] as? [String: Any])?["taskInfo"] as? [String: Any]
                let names = (inputs?["inputs"] as? [[String: Any]])?.map { $0["name"] as? String }
                #expect(names == ["humanImage", "upperInput", "lowerInput"])
            }
        }
    }

    /// Checks that the garment's blue is above the person's skin and trousers, each as wide and high as before.
    private func checkBothAreWhole(_ file: [UInt8]) throws {
        let bytes = ByteSlice(Bytes(file), 0..<file.count)
        let header = try PictureHeader.read(bytes, PictureLimits())
        let raster = try header.decode(bytes, atLeast: header.size, PictureLimits())
        let upper = try #require(raster.bounds { $0.isNear((0x2F, 0x6F, 0xED)) })
        let lower = try #require(raster.bounds { $0.isNear((0x33, 0x3A, 0x4A)) })
        let skin = try #require(raster.bounds { $0.isNear((0xE8, 0xC1, 0xA0)) })
        #expect(upper.rows.upperBound <= skin.rows.lowerBound && skin.rows.upperBound <= lower.rows.upperBound)
        #expect(abs(upper.rows.count - 340) <= 8, "\(upper)")
        #expect(abs(lower.rows.count - 280) <= 8 && abs(lower.columns.count - 176) <= 8, "\(lower)")
        #expect(min(header.size.width, header.size.height) >= 300)
        #expect(file.count <= 10_485_760)
    }

    @Test func `the error for a garment that cannot be fetched names the field`() async throws {
        try await run("fetch: { allow: [127.0.0.0/8] }") { rig, kling in
            let upper = try await rig.gateway.uploaded(SamplePictures.garment)
            for (lower, status) in [("http://127.0.0.1:1/l.png", 400), ("http://10.0.0.1/l.png", 400)] {
                let body = #"{"humanImage":"\#(Useapi.person)","upperInput":"\#(upper)","lowerInput":"\#(lower)"}"#
                let refused = try await rig.gateway.post(Useapi.path, Array(body.utf8))
                #expect(refused.status == status)
                #expect(refused.useapiError?.hasPrefix("lowerInput ") == true, "\(refused.text)")
            }
            #expect(kling.posts.isEmpty)
        }
    }
}

extension Raster {
    fileprivate struct Pixel {
        let red, green, blue: UInt8

        /// Whether the color is the given one, apart from JPEG loss.
        func isNear(_ color: (Int, Int, Int)) -> Bool {
            abs(Int(red) - color.0) < 12 && abs(Int(green) - color.1) < 12 && abs(Int(blue) - color.2) < 12
        }
    }

    /// The rows and columns that contain matching pixels.
    fileprivate func bounds(_ isMeant: (Pixel) -> Bool) -> (rows: Range<Int>, columns: Range<Int>)? {
        withPixels { pixels in
            var (rows, columns): (Range<Int>?, Range<Int>?)
            for row in 0..<size.height {
                for column in 0..<size.width {
                    let place = (row * size.width + column) * Self.bytesPerPixel
                    let pixel = Pixel(red: pixels[place], green: pixels[place + 1], blue: pixels[place + 2])
                    guard isMeant(pixel) else { continue }
                    rows = min(rows?.lowerBound ?? row, row)..<row + 1
                    columns =
                        min(columns?.lowerBound ?? column, column)..<max(columns?.upperBound ?? 0, column + 1)
                }
            }
            guard let rows, let columns else { return nil }
            return (rows, columns)
        }
    }
}
