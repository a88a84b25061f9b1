import Base
import CTurboJPEG
import Testing

@testable import Pictures

/// Malicious and unusual files. Each gets an answer within the limits: a file that cannot be decoded within them is
/// refused by its header, before any of it is decoded.
struct HostilePictureTests {
    /// The result for a file: a defect, or a picture within the limits. Both normalizing and stitching are tried.
    private static func answer(_ file: [UInt8], limits: PictureLimits = PictureLimits()) -> PictureDefect? {
        let slice = ByteSlice(file)
        var found: PictureDefect?
        do throws(PictureDefect) {
            if let made = try PictureKit.normalize(slice, limits: limits) { expectWithin(made, limits) }
        } catch {
            found = error
        }
        do throws(StitchDefect) {
            expectWithin(try PictureKit.stitch(upper: slice, lower: slice, limits: limits), limits)
        } catch {
            // A file that is sent on as it is may turn out to be broken when it is decoded, but not vice versa.
            #expect(found == nil || found == error.defect)
            found = error.defect
        }
        return found
    }

    private static func expectWithin(_ made: Bytes, _ limits: PictureLimits) {
        #expect(made.count <= limits.maxOutputBytes)
        do {
            let decoded = try Decoded(jpeg: made)
            #expect(max(decoded.width, decoded.height) <= limits.maxOutputSide)
        } catch {
            Issue.record("the result is not a JPEG: \(error)")
        }
    }

    // MARK: Bombs

    @Test(arguments: [(50_000, 50_000), (1_000_000, 1_000_000), (Int(Int32.max), Int(Int32.max)), (300, 200_000_000)])
    func `a header with too many pixels is enough to refuse a file`(_ width: Int, _ height: Int) throws {
        let limits = PictureLimits()
        // A few kilobytes of data would become gigabytes of zeros.
        let png = PNGFile(width: width, height: height, zeros: 1 << 20).file
        let expected = PictureDefect.tooLarge(width: width, height: height, allowed: limits.decodingBytes / 3)
        #expect(Self.answer(png) == expected)
        #expect(expected.description.contains("\(width) x \(height)"))
        #expect(expected.description.contains("\(limits.decodingBytes / 3)"))
    }

    @Test func `JPEG and WebP headers with too many pixels are refused too`() {
        var limits = PictureLimits()
        var jpeg = DrawnPicture.plain(300, 300, .red).jpeg()
        let frame = JPEGFile.last(0xC0, in: jpeg) ?? 0
        jpeg.replaceSubrange(frame + 5..<frame + 9, with: big(65_500, 2) + big(65_500, 2))
        #expect(Self.answer(jpeg) == .tooLarge(width: 65_500, height: 65_500, allowed: limits.pixels))
        limits.pixels = 320 * 320 - 1
        let webP = DrawnPicture.plain(320, 320, .red).webP()
        #expect(Self.answer(webP, limits: limits) == .tooLarge(width: 320, height: 320, allowed: limits.pixels))
        let animation = WebPFile.animation(320, 320, [webP])
        #expect(Self.answer(animation, limits: limits) == .tooLarge(width: 320, height: 320, allowed: limits.pixels))
        let small = WebPFile.animation(16_000, 16_000, [webP], frame: (0, 0, 320, 320))
        guard case .tooLarge(16_000, 16_000, _)? = Self.answer(small) else {
            Issue.record("it was not refused")
            return
        }
    }

    @Test func `a large picture of zeros is decoded within the limits`() {
        var limits = PictureLimits()
        limits.maxOutputSide = 400
        let bomb = PNGFile(width: 2000, height: 1500).file
        #expect(bomb.count < 60_000)
        #expect(Self.answer(bomb, limits: limits) == nil)
    }

    @Test func `data beyond the end of the picture is ignored`() {
        #expect(Self.answer(PNGFile(width: 300, height: 300, zeros: 8 << 20).file) == nil)
    }

    @Test func `endless data is unpacked only for a limited time`() {
        var limits = PictureLimits()
        let file = PNGFile(width: 300, height: 300, zeros: 64 << 20).file
        limits.pngTime = .milliseconds(20)
        #expect(Self.answer(file, limits: limits) == .slow(.png))
    }

    @Test func `compressed texts cost libpng nothing, however many there are`() {
        var limits = PictureLimits()
        let text = Array("name\0\0".utf8) + [1, 0, 0, 0] + Deflate.zeros(4 << 20)
        let texts = Array(repeating: ("iTXt", text), count: 250)
        let file = PNGFile(width: 300, height: 300, chunksBefore: texts, chunksAfter: texts).file
        limits.pngTime = .seconds(1)
        #expect(Self.answer(file, limits: limits) == nil)
    }

    @Test(arguments: ["zTXt", "iTXt", "iCCP"])
    func `compressed chunks beside the picture are not unpacked`(_ name: String) {
        let packed = Deflate.zeros(32 << 20)
        let content = Array("name\0\0".utf8) + (name == "iTXt" ? [1, 0, 0, 0] : []) + packed
        let file = PNGFile(width: 300, height: 300, chunksBefore: [(name, content), (name, content)]).file
        #expect(Self.answer(file) == nil)
    }

    @Test func `a progressive JPEG with thousands of scans is refused before it is decoded`() {
        let progressive = DrawnPicture.quarters(320, 320).jpeg(flags: TJFLAG_PROGRESSIVE)
        let long = JPEGFile.repeatingLastScan(5000, of: progressive)
        guard case .scans(let count, 100)? = Self.answer(long) else {
            Issue.record("it was not refused")
            return
        }
        #expect(count > 5000)
        #expect(Self.answer(progressive) == nil)
        // An end marker hidden in a comment does not hide what comes after it.
        var hidden = progressive
        guard let end = JPEGFile.last(0xD9, in: hidden) else { return }
        hidden.insert(contentsOf: JPEGFile.segment(0xFE, [0xFF, 0xD9]), at: end)
        #expect(Self.answer(JPEGFile.repeatingLastScan(5000, of: hidden)) != nil)
    }

    @Test func `the memory to decode a progressive JPEG counts against the limit`() {
        var limits = PictureLimits()
        let file = DrawnPicture.plain(320, 320, .red).jpeg(subsampling: TJSAMP_420, flags: TJFLAG_PROGRESSIVE)
        limits.decodingBytes = 320 * 320 * 3
        #expect(Self.answer(file, limits: limits) == nil)
        limits.decodingBytes -= 3
        #expect(
            Self.answer(file, limits: limits) == .tooLarge(width: 320, height: 320, allowed: 320 * 320 - 1))
    }

    // MARK: Sizes

    @Test func `a picture that is too small on one side is refused`() {
        #expect(
            Self.answer(PNGFile(width: 1, height: 100_000, zeros: 1).file)
                == .tooSmall(width: 1, height: 100_000, allowed: 300))
        #expect(
            Self.answer(PNGFile(width: 100_000, height: 299, zeros: 1).file)
                == .tooSmall(width: 100_000, height: 299, allowed: 300))
        #expect(Self.answer(PNGFile(width: 0, height: 300, zeros: 1).file) == .header(.png))
        #expect(Self.answer(PNGFile(width: 1 << 31, height: 300, zeros: 1).file) == .header(.png))
    }

    @Test func `a long strip is stitched, and left as it is if it needs no change`() throws {
        var limits = PictureLimits()
        limits.maxOutputSide = 1000
        limits.minSide = 1
        #expect(Self.answer(PNGFile(width: 1, height: 20_000, colorType: 0).file, limits: limits) == nil)
    }

    @Test func `a file with too many bytes is refused`() {
        var limits = PictureLimits()
        limits.maxInputBytes = 1000
        #expect(Self.answer([UInt8](repeating: 0xFF, count: 1001), limits: limits) == .length(1001, allowed: 1000))
    }

    // MARK: Damage

    private static let whole: [(name: String, file: [UInt8])] = {
        let picture = DrawnPicture.quarters(320, 310)
        return [
            ("JPEG", picture.jpeg()), ("progressive JPEG", picture.jpeg(flags: TJFLAG_PROGRESSIVE)),
            ("CMYK JPEG", picture.jpeg(TJPF_CMYK)), ("PNG", picture.png()),
            ("noisy PNG", DrawnPicture.noise(300, 300).png()), ("lossless WebP", picture.webP()),
            ("lossy WebP", picture.webP(isLossless: false)),
            ("clear WebP", picture.webP(isLossless: false, opacity: 90)),
            (
                "animated WebP",
                WebPFile.animation(320, 310, Array(repeating: picture.webP(isLossless: false), count: 2))
            ),
        ]
    }()

    @Test(arguments: whole.map(\.name))
    func `a file cut off anywhere is refused`(_ name: String) throws {
        let file = try #require(Self.whole.first { $0.name == name }?.file)
        #expect(Self.answer(file) == nil)
        for part in 0..<16 {
            // What follows the first frame of an animation is not needed.
            let end = name == "animated WebP" ? file.count / 2 : file.count
            #expect(Self.answer(Array(file[..<(end * part / 16)])) != nil, "cut at \(part)/16")
        }
    }

    @Test(arguments: whole.map(\.name))
    func `a damaged file gets an answer`(_ name: String) throws {
        let file = try #require(Self.whole.first { $0.name == name }?.file)
        var random = Dice(seed: 4711)
        for _ in 0..<25 {
            var damaged = file
            for _ in 0..<random.roll(1...8) {
                damaged[random.roll(0...min(file.count - 1, random.roll(0...1) == 0 ? 64 : file.count))] =
                    UInt8(random.roll(0...255))
            }
            _ = Self.answer(damaged)
        }
    }

    @Test func `a wrong checksum is an error`() {
        var file = DrawnPicture.quarters(300, 300).png()
        let data = file.count - 12 - 4
        file[data] ^= 1
        #expect(Self.answer(file) == .data(.png))
    }

    // MARK: Polyglots

    @Test func `bytes after a picture are left out`() throws {
        let page = Array("PK\u{3}\u{4}<html><script>alert(1)</script></html>".utf8)
        for picture in [DrawnPicture.quarters(320, 320)] {
            for file in [picture.jpeg(), picture.png(), picture.webP()] {
                let made = try PictureKit.stitch(upper: ByteSlice(file + page), lower: ByteSlice(file + page))
                let text = made.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
                #expect(!text.contains("script"))
            }
        }
        let hidden = JPEGFile.adding(JPEGFile.segment(0xFE, page), to: DrawnPicture.quarters(320, 320).jpeg())
        let made = try PictureKit.stitch(upper: ByteSlice(hidden), lower: ByteSlice(hidden))
        #expect(!made.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }.contains("script"))
    }

    @Test(
        arguments: [
            ("<html>", "an HTML or XML page"), ("%PDF-1.7", "a PDF document"), ("GIF89a", "a GIF picture"),
            ("BM", "a BMP picture"), ("\0\0\0\u{20}ftypavif", "an AVIF picture"), ("II*\0", "a TIFF picture"),
            ("\0\0\0\u{0C}JXL \r\n", "a JPEG XL picture"),
            ("RIFF\0\0\0\0WAVE", nil), ("", nil), ("\u{89}PNG", nil),
        ] as [(String, String?)])
    func `a file that is not a picture is refused with the name of its format`(_ start: String, _ name: String?) {
        #expect(Self.answer(Array(start.utf8)) == .format(name))
    }

    // MARK: Rare kinds

    @Test func `rare kinds of JPEG are refused, naming the kind`() {
        let file = DrawnPicture.plain(300, 300, .red).jpeg()
        let progressive = DrawnPicture.plain(300, 300, .red).jpeg(flags: TJFLAG_PROGRESSIVE)
        #expect(Self.answer(JPEGFile.renamingFrame(of: file, to: 0xC9)) == .kind(.jpeg, "arithmetic coding"))
        #expect(Self.answer(JPEGFile.renamingFrame(of: progressive, to: 0xCA)) == .kind(.jpeg, "arithmetic coding"))
        #expect(Self.answer(JPEGFile.renamingFrame(of: file, to: 0xC3)) == .kind(.jpeg, "lossless coding"))
        var deep = file
        deep[(JPEGFile.last(0xC0, in: file) ?? 0) + 4] = 12
        #expect(Self.answer(deep) == .kind(.jpeg, "12 bits a sample"))
        #expect(Self.answer(JPEGFile.adding(JPEGFile.segment(0xC0, Array(repeating: 0, count: 15)), to: file)) != nil)
    }

    @Test func `many segments are skipped, and endless ones are refused`() {
        let file = DrawnPicture.quarters(300, 300).jpeg()
        let segments = (0..<1000).flatMap { JPEGFile.segment(0xE0 + UInt8($0 % 16), [UInt8](repeating: 7, count: 90)) }
        #expect(Self.answer(JPEGFile.adding(segments, to: file)) == nil)
        let endless = (0..<3000).flatMap { _ in JPEGFile.segment(0xE2, []) }
        #expect(Self.answer(JPEGFile.adding(endless, to: file)) == .header(.jpeg))
    }

    @Test(arguments: [0, 9, -1, 65_535])
    func `an invalid orientation counts as upright`(_ orientation: Int) throws {
        let file = JPEGFile.adding(
            JPEGFile.exif(orientation: orientation & 0xFFFF, isLittle: true), to: DrawnPicture.quarters(400, 300).jpeg()
        )
        #expect(try PictureKit.normalize(ByteSlice(file)) == nil)
    }

    @Test(arguments: [16, 8])
    func `every kind of PNG is decoded`(_ depth: UInt8) throws {
        for isInterlaced in [false, true] {
            for colorType: UInt8 in [0, 2, 4, 6] where !isInterlaced || colorType == 2 {
                let channels = [0: 1, 2: 3, 4: 2, 6: 4][colorType] ?? 1
                // White rows, each after its filter byte. In an interlaced picture, each pass has rows of its own.
                let width = isInterlaced ? 304 : 320
                let rows = Self.rows(width, width, isInterlaced).flatMap { pixels -> [UInt8] in
                    [0] + [UInt8](repeating: 0xFF, count: pixels * channels * Int(depth) / 8)
                }
                let file = PNGFile(
                    width: width, height: width, bitDepth: depth, colorType: colorType, isInterlaced: isInterlaced,
                    rows: rows
                ).file
                let made = try PictureKit.stitch(upper: ByteSlice(file), lower: ByteSlice(file))
                #expect(try Decoded(jpeg: made)[100, 100].isLike(.white), "\(colorType) \(depth) \(isInterlaced)")
            }
        }
    }

    @Test(arguments: [16, 8])
    func `colors of 16 bits equal those of 8 bits`(_ depth: UInt8) throws {
        let pixel: [UInt8] = [60, 120, 200].flatMap { Array(repeating: $0, count: Int(depth) / 8) }
        let row: [UInt8] = [0] + (0..<320).flatMap { _ in pixel }
        let rows = (0..<320).flatMap { _ in row }
        let file = PNGFile(width: 320, height: 320, bitDepth: depth, rows: rows).file
        let made = try PictureKit.stitch(upper: ByteSlice(file), lower: ByteSlice(file))
        #expect(try Decoded(jpeg: made)[100, 100].isLike(Color(red: 60, green: 120, blue: 200)))
    }

    /// How many pixels each stored row has (PNG, section 8.2).
    private static func rows(_ width: Int, _ height: Int, _ isInterlaced: Bool) -> [Int] {
        guard isInterlaced else { return Array(repeating: width, count: height) }
        let passes: [(x: Int, y: Int, dx: Int, dy: Int)] = [
            (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2),
        ]
        return passes.flatMap { pass -> [Int] in
            let pixels = (width - pass.x + pass.dx - 1) / pass.dx
            return Array(repeating: pixels, count: (height - pass.y + pass.dy - 1) / pass.dy)
        }
    }

    @Test func `an animated PNG yields its default picture`() throws {
        let control = PNGFile.chunk("acTL", big(2) + big(0))
        var file = DrawnPicture.quarters(320, 320).png()
        file.insert(contentsOf: control, at: 33)
        let made = try PictureKit.stitch(upper: ByteSlice(file), lower: ByteSlice(file))
        #expect(try Decoded(jpeg: made)[20, 20].isLike(.red))
    }
}

/// Pseudo-random numbers that are the same every time.
struct Dice {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func roll(_ range: ClosedRange<Int>) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return range.lowerBound + Int((state >> 33) % UInt64(range.count))
    }
}
