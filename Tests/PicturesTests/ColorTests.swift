import Base
import Testing

@testable import Pictures

/// Color information in files has the same effect as in Chromium 156, which gave the expected values.
struct ColorTests {
    private static let sRGB = [31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000]
    private static let wide = [31_270, 32_900, 68_000, 32_000, 26_500, 69_000, 15_000, 6_000]

    private static func gamma(_ value: Int) -> (String, [UInt8]) { ("gAMA", big(value)) }
    private static func points(_ values: [Int]) -> (String, [UInt8]) { ("cHRM", values.flatMap { big($0) }) }
    private static func codes(_ primaries: UInt8, _ transfer: UInt8) -> (String, [UInt8]) {
        ("cICP", [primaries, transfer, 0, 1])
    }
    private static func profile(_ bytes: [UInt8]) -> (String, [UInt8]) {
        ("iCCP", Array("x\0\0".utf8) + Deflate.stored(bytes))
    }

    struct Case: Sendable {
        let name: String
        let chunks: [(String, [UInt8])]
        let color: [Int]
    }

    private static let unchanged = [200, 50, 50]
    private static let cases: [Case] = [
        Case(name: "nothing", chunks: [], color: unchanged),
        Case(name: "the usual exponent", chunks: [gamma(45_455)], color: unchanged),
        Case(name: "linear light", chunks: [gamma(100_000)], color: [229, 122, 122]),
        Case(name: "another exponent", chunks: [gamma(55_556)], color: [210, 65, 65]),
        Case(name: "no exponent", chunks: [gamma(0)], color: unchanged),
        Case(name: "primaries alone", chunks: [points(wide)], color: unchanged),
        Case(name: "both", chunks: [gamma(45_455), points(wide)], color: [219, 14, 35]),
        Case(name: "both, linear", chunks: [gamma(100_000), points(wide)], color: [245, 115, 119]),
        Case(name: "sRGB", chunks: [("sRGB", [0]), gamma(100_000), points(wide)], color: unchanged),
        Case(name: "code points of P3", chunks: [codes(12, 13)], color: [218, 24, 40]),
        Case(name: "code points of television", chunks: [codes(9, 1)], color: [245, 0, 26]),
        Case(name: "code points of linear light", chunks: [codes(1, 8)], color: [229, 122, 122]),
        Case(name: "unknown code points", chunks: [codes(2, 2)], color: unchanged),
        Case(name: "a profile", chunks: [profile(ICCProfile.wide.bytes)], color: [232, 46, 46]),
        Case(
            name: "a profile with sRGB", chunks: [("sRGB", [0]), profile(ICCProfile.wide.bytes)], color: [232, 46, 46]),
        Case(
            name: "code points before a profile", chunks: [codes(1, 13), profile(ICCProfile.wide.bytes)],
            color: unchanged),
        Case(
            name: "a broken profile", chunks: [profile(Array(repeating: 7, count: 200)), gamma(100_000)],
            color: [229, 122, 122]),
        Case(name: "a profile of inks", chunks: [profile(ICCProfile.table(points: 2).bytes)], color: unchanged),
    ]

    @Test(arguments: cases.map(\.name))
    func `color chunks of a PNG file apply in their order of precedence`(_ name: String) throws {
        let found = try #require(Self.cases.first { $0.name == name })
        #expect(Self.isLike(try Self.color(of: Self.png(found.chunks)), found.color))
        // A chunk with a wrong checksum, or after the first row, is ignored.
        guard let chunk = found.chunks.first, found.chunks.count == 1 else { return }
        var broken = Self.png([chunk])
        broken[33 + 8 + chunk.1.count] ^= 1
        #expect(try Self.color(of: broken) == Self.unchanged)
        #expect(try Self.color(of: Self.png([], behind: [chunk])) == Self.unchanged)
    }

    @Test func `a profile in pieces is read in any order, and ignored if a piece is missing`() throws {
        let bytes = ICCProfile.wide.bytes
        let plain = DrawnPicture.plain(320, 320, Color(red: 200, green: 50, blue: 50)).jpeg(quality: 100)
        func piece(_ number: UInt8, of count: UInt8, _ content: ArraySlice<UInt8>) -> [UInt8] {
            JPEGFile.segment(0xE2, Array("ICC_PROFILE\0".utf8) + [number, count] + content)
        }
        let halves = [piece(1, of: 2, bytes[..<300]), piece(2, of: 2, bytes[300...])]
        for (segments, color) in [
            (halves[0] + halves[1], [232, 46, 46]), (halves[1] + halves[0], [232, 46, 46]), (halves[0], Self.unchanged),
            (piece(0, of: 0, bytes[...]), Self.unchanged), (piece(3, of: 2, bytes[...]), Self.unchanged),
        ] { #expect(Self.isLike(try Self.color(of: JPEGFile.adding(segments, to: plain)), color)) }
    }

    @Test func `only a noticeable change of colors makes a picture unfit to be sent as it is`() throws {
        func isFine(_ chunks: [(String, [UInt8])]) throws -> Bool {
            try PictureKit.normalize(ByteSlice(Self.png(chunks))) == nil
        }
        #expect(try isFine([]) && isFine([("sRGB", [0])]))
        #expect(try isFine([Self.gamma(45_455), Self.points(Self.sRGB)]), "as ImageMagick writes it")
        #expect(try !isFine([Self.profile(ICCProfile.wide.bytes)]))
        #expect(try !isFine([Self.gamma(100_000)]))
    }

    // MARK: Hostile profiles

    @Test func `a profile that is too large, even only when unpacked, is ignored`() throws {
        let bytes = ICCProfile.wide.bytes
        var limits = PictureLimits()
        limits.profileBytes = bytes.count
        #expect(try Self.color(of: Self.png([Self.profile(bytes)]), limits) != Self.unchanged)
        limits.profileBytes -= 1
        #expect(try Self.color(of: Self.png([Self.profile(bytes)]), limits) == Self.unchanged)
        let bomb = ("iCCP", Array("x\0\0".utf8) + Deflate.zeros(64 << 20))
        #expect(try Self.color(of: Self.png([bomb])) == Self.unchanged)
    }

    @Test func `tables larger than the library may allocate are ignored`() throws {
        for points: UInt8 in [2, 40, 100, 255] {
            let profile = ICCProfile.table(points: points).bytes
            let segments = JPEGFile.segment(0xE2, Array("ICC_PROFILE\0".utf8) + [1, 1] + profile)
            let file = PlainJPEG(
                sampling: Array(repeating: (1, 1), count: 4), samples: [220, 20, 30, 255], segments: segments
            ).file
            #expect(try Self.color(of: file) == [220, 20, 30])
        }
    }

    @Test func `tags that browsers don't read are removed`() throws {
        var profile = ICCProfile.wide
        profile.tags.insert(("D2B0", Array("mpet".utf8) + Array(repeating: 0, count: 40)), at: 0)
        let file = ByteSlice(profile.bytes)
        let reduced = try #require(ColorProfile(.profile([0..<file.count]), in: file, PictureLimits()))
        #expect(reduced.bytes[128..<132].elementsEqual(big(7)))
        #expect(!reduced.bytes[..<216].split(separator: 0).contains { $0.starts(with: Array("D2B0".utf8)) })
        #expect(try Self.isLike(Self.color(of: Self.png([Self.profile(profile.bytes)])), [232, 46, 46]))
    }

    @Test func `pictures with damaged profiles are still decoded`() throws {
        var random = Dice(seed: 815)
        var limits = PictureLimits()
        limits.minSide = 1
        let gray = ICCProfile(space: "GRAY", tags: [("kTRC", ICCProfile.exponent(1))]).bytes
        for (profile, colorType) in [(ICCProfile.wide.bytes, UInt8(2)), (gray, 0)] {
            for _ in 0..<300 {
                var damaged = profile
                for _ in 0..<random.roll(1...6) {
                    damaged[random.roll(0...profile.count - 1)] = UInt8(random.roll(0...255))
                }
                let file = PNGFile(width: 8, height: 8, colorType: colorType, chunksBefore: [Self.profile(damaged)])
                _ = try Self.color(of: file.file, limits)
            }
        }
    }

    // MARK: Files

    /// A PNG file of one color.
    private static func png(_ chunks: [(String, [UInt8])], behind: [(String, [UInt8])] = []) -> [UInt8] {
        let row: [UInt8] = [0] + (0..<300).flatMap { _ in [200, 50, 50] as [UInt8] }
        return PNGFile(
            width: 300, height: 300, chunksBefore: chunks, rows: (0..<300).flatMap { _ in row }, chunksAfter: behind
        ).file
    }

    private static func color(of file: [UInt8], _ limits: PictureLimits = PictureLimits()) throws -> [Int] {
        let header = try PictureHeader.read(ByteSlice(file), limits)
        let raster = try header.upright(ByteSlice(file), header.size, limits)
        return raster.withPixels { pixels in (0..<3).map { Int(pixels[$0]) } }
    }

    private static func isLike(_ color: [Int], _ other: [Int]) -> Bool {
        zip(color, other).allSatisfy { abs($0.0 - $0.1) <= 2 }
    }
}
