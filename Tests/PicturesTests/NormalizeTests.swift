import Base
import CTurboJPEG
import Testing

@testable import Pictures

/// Pictures are converted to a form that Kling accepts, and left unchanged if they already have one.
struct NormalizeTests {
    @Test func `a picture that needs no change is left as it is`() throws {
        let picture = DrawnPicture.quarters(400, 300)
        let files = [
            picture.jpeg(), picture.jpeg(flags: TJFLAG_PROGRESSIVE), picture.jpeg(subsampling: TJSAMP_420),
            picture.jpeg(subsampling: TJSAMP_GRAY), picture.png(),
            JPEGFile.adding(JPEGFile.exif(orientation: 1, isLittle: false), to: picture.jpeg()),
        ]
        for file in files { #expect(try PictureKit.normalize(ByteSlice(file)) == nil) }
    }

    @Test(arguments: Orientation.allCases, [true, false])
    func `a picture is turned upright for every EXIF orientation`(_ orientation: Orientation, _ isLittle: Bool) throws {
        let picture = DrawnPicture.quarters(480, 320)
        let file = JPEGFile.adding(
            JPEGFile.exif(orientation: orientation.rawValue, isLittle: isLittle), to: picture.jpeg())
        guard let made = try PictureKit.normalize(ByteSlice(file)) else {
            #expect(orientation == .upright)
            return
        }
        let decoded = try Decoded(jpeg: made)
        #expect((decoded.width, decoded.height) == (orientation.swapsSides ? (320, 480) : (480, 320)))
        let corners = [
            decoded[20, 20], decoded[decoded.width - 20, 20], decoded[20, decoded.height - 20],
            decoded[decoded.width - 20, decoded.height - 20],
        ]
        // CIPA DC-008: where row 0 and column 0 end up.
        let expected: [Orientation: [Color]] = [
            .mirrored: [.green, .red, .yellow, .blue], .upsideDown: [.yellow, .blue, .green, .red],
            .upsideDownMirrored: [.blue, .yellow, .red, .green], .mirroredRotatedLeft: [.red, .blue, .green, .yellow],
            .rotatedRight: [.blue, .red, .yellow, .green], .mirroredRotatedRight: [.yellow, .green, .blue, .red],
            .rotatedLeft: [.green, .yellow, .red, .blue],
        ]
        let wanted = try #require(expected[orientation])
        for (found, wanted) in zip(corners, wanted) { #expect(found.isLike(wanted), "\(found) for \(wanted)") }
    }

    @Test(arguments: [true, false])
    func `WebP becomes an upright JPEG on white`(_ isLossless: Bool) throws {
        let plain = DrawnPicture.quarters(400, 320).webP(isLossless: isLossless)
        let decoded = try Decoded(jpeg: #require(try PictureKit.normalize(ByteSlice(plain))))
        #expect((decoded.width, decoded.height) == (400, 320))
        #expect(decoded[20, 20].isLike(.red) && decoded[380, 300].isLike(.yellow))

        let clear = DrawnPicture.plain(400, 320, .blue).webP(isLossless: isLossless, opacity: 0)
        #expect(try Decoded(jpeg: #require(try PictureKit.normalize(ByteSlice(clear))))[200, 200].isLike(.white))

    }

    @Test func `WebP is not turned by its EXIF, and is rewritten so that no other program turns it`() throws {
        let plain = DrawnPicture.quarters(400, 320).webP()
        let extended = WebPFile.file(
            WebPFile.extended(400, 320, flags: 0x08) + WebPFile.chunks(of: plain)
                + WebPFile.chunk("EXIF", JPEGFile.tiff(orientation: 8, isLittle: true)))
        for made in [try PictureKit.normalize(ByteSlice(extended)), try PictureKit.prepare(ByteSlice(extended)).made] {
            let decoded = try Decoded(jpeg: #require(made))
            #expect((decoded.width, decoded.height) == (400, 320))
            #expect(decoded[20, 20].isLike(.red) && decoded[380, 300].isLike(.yellow))
        }
    }

    @Test func `PNG is turned by an EXIF chunk before its first row`() throws {
        let picture = DrawnPicture.quarters(400, 320)
        let chunk = PNGFile.chunk("eXIf", JPEGFile.tiff(orientation: 6, isLittle: false))
        var broken = chunk
        broken[10] ^= 1
        let two = JPEGFile.tiff(orientation: 6, isLittle: false, count: 2)
        for (place, chunk, isTurned) in [
            (33, chunk, true), (33, broken, false), (33, PNGFile.chunk("eXIf", two), false),
            (33, PNGFile.chunk("eXIf", Array("Exif\0\0".utf8) + JPEGFile.tiff(orientation: 6, isLittle: false)), false),
            (picture.png().count - 12, chunk, false),
        ] {
            var file = picture.png()
            file.insert(contentsOf: chunk, at: place)
            let made = try PictureKit.normalize(ByteSlice(file))
            #expect((made != nil) == isTurned)
            guard let made else { continue }
            let decoded = try Decoded(jpeg: made)
            #expect((decoded.width, decoded.height) == (320, 400))
            #expect(decoded[20, 20].isLike(.blue) && decoded[300, 20].isLike(.red))
        }
    }

    @Test func `the first frame of an animation is used`() throws {
        let frames = [DrawnPicture.quarters(320, 400).webP(), DrawnPicture.plain(320, 400, .white).webP()]
        let file = WebPFile.animation(320, 400, frames)
        let decoded = try Decoded(jpeg: #require(try PictureKit.normalize(ByteSlice(file))))
        #expect((decoded.width, decoded.height) == (320, 400))
        #expect(decoded[20, 20].isLike(.red) && decoded[300, 380].isLike(.yellow))
    }

    @Test func `a first frame smaller than its picture is put in its place, on white`() throws {
        let frame = DrawnPicture.plain(100, 120, .blue).webP()
        let file = WebPFile.animation(320, 400, [frame], frame: (x: 40, y: 60, width: 100, height: 120))
        let decoded = try Decoded(jpeg: #require(try PictureKit.normalize(ByteSlice(file))))
        #expect((decoded.width, decoded.height) == (320, 400))
        let blue = try #require(decoded.area(like: .blue))
        #expect(blue.x == 40...139 && blue.y == 60...179 && decoded[300, 20].isLike(.white))
        let outside = WebPFile.animation(320, 400, [frame], frame: (x: 230, y: 60, width: 100, height: 120))
        #expect(throws: PictureDefect.header(.webp)) { _ = try PictureKit.normalize(ByteSlice(outside)) }
    }

    @Test(arguments: [0, TJFLAG_PROGRESSIVE])
    func `CMYK becomes RGB`(_ flags: CInt) throws {
        let file = DrawnPicture.quarters(320, 300).jpeg(TJPF_CMYK, flags: flags)
        let decoded = try Decoded(jpeg: #require(try PictureKit.normalize(ByteSlice(file))))
        #expect(decoded[20, 20].isLike(.red) && decoded[300, 20].isLike(.green))
        #expect(decoded[20, 280].isLike(.blue) && decoded[300, 280].isLike(.yellow))
    }

    @Test func `a picture over the limits is shrunk and keeps its proportions`() throws {
        var limits = PictureLimits()
        limits.maxOutputSide = 500
        let picture = DrawnPicture.quarters(1100, 850)
        for file in [picture.jpeg(), picture.png(), picture.webP(isLossless: false)] {
            let decoded = try Decoded(jpeg: #require(try PictureKit.normalize(ByteSlice(file), limits: limits)))
            #expect((decoded.width, decoded.height) == (500, 386))
            #expect(decoded[10, 10].isLike(.red) && decoded[490, 10].isLike(.green))
            #expect(decoded[10, 376].isLike(.blue) && decoded[490, 376].isLike(.yellow))
        }
        let long = DrawnPicture.plain(320, 1600, .green).png()
        let decoded = try Decoded(jpeg: #require(try PictureKit.normalize(ByteSlice(long), limits: limits)))
        #expect((decoded.width, decoded.height) == (300, 1500), "no side becomes shorter than Kling accepts")
    }

    @Test func `a file with too many bytes is encoded again`() throws {
        var limits = PictureLimits()
        let file = DrawnPicture.noise(320, 320).png()
        limits.maxOutputBytes = file.count / 2
        let made = try #require(try PictureKit.normalize(ByteSlice(file), limits: limits))
        #expect(made.count <= limits.maxOutputBytes)
    }

    // MARK: For links

    @Test func `for links, JPEG, PNG and WebP stay as they are within their own limits`() throws {
        let picture = DrawnPicture.quarters(2048, 301)
        for (file, format) in [
            (picture.jpeg(), PictureFormat.jpeg), (picture.png(), .png), (picture.webP(), .webp),
        ] {
            let prepared = try PictureKit.prepare(ByteSlice(file))
            #expect(prepared.made == nil && prepared.format == format)
        }
    }

    @Test func `for links, large, turned, animated and CMYK pictures become JPEG`() throws {
        let picture = DrawnPicture.quarters(2050, 700)
        let turned = JPEGFile.adding(JPEGFile.exif(orientation: 6, isLittle: true), to: picture.jpeg())
        let animation = WebPFile.animation(320, 400, [DrawnPicture.plain(320, 400, .red).webP()])
        for (file, size) in [
            (picture.png(), (2048, 699)), (picture.webP(), (2048, 699)), (turned, (699, 2048)),
            (animation, (320, 400)), (DrawnPicture.plain(320, 400, .red).jpeg(TJPF_CMYK), (320, 400)),
        ] {
            let prepared = try PictureKit.prepare(ByteSlice(file))
            let decoded = try Decoded(jpeg: #require(prepared.made))
            #expect((decoded.width, decoded.height) == size && prepared.format == .jpeg)
        }
        var limits = PictureLimits.solutions
        limits.maxOutputBytes = 100_000
        let large = try PictureKit.prepare(ByteSlice(DrawnPicture.noise(320, 320).webP()), limits: limits)
        #expect(try #require(large.made).count <= 100_000)
    }

    @Test(arguments: [
        (300, 300, "is 300 x 300 pixels: the shortest side must be more than 300 pixels"),
        (900, 300, "is 900 x 300 pixels: the shortest side must be more than 300 pixels"),
        (4096, 601, "is 4096 x 601 pixels: with the longest side shrunk to 2048, which is the most, the shortest must"),
        (301, 2100, "is 301 x 2100 pixels: with the longest side shrunk to 2048"),
    ])
    func `for links, sides below the minimum are refused with the rule`(width: Int, height: Int, words: String) throws {
        let error = #expect(throws: PictureDefect.self) {
            _ = try PictureKit.prepare(ByteSlice(DrawnPicture.plain(width, height, .red).png()))
        }
        #expect(error?.description.hasPrefix(words) == true, "\(error?.description ?? "")")
    }

    @Test func `the limits of both APIs keep their values`() {
        let (kolors, solutions) = (PictureLimits.kolors, PictureLimits.solutions)
        #expect((kolors.maxOutputSide, kolors.minSide, kolors.maxOutputBytes) == (4096, 300, 10_485_760))
        #expect(!kolors.isStrict && solutions.isStrict)
        #expect(kolors.formats == [.jpeg, .png] && solutions.formats == [.jpeg, .png, .webp])
        #expect((solutions.maxOutputSide, solutions.minSide, solutions.maxOutputBytes) == (2048, 301, 10_000_000))
    }

    @Test func `shrinking averages the pixels that each new pixel covers`() throws {
        let stripes = try Raster(
            PictureSize(width: 8, height: 4),
            paint: { space in for index in space.indices { space[index] = index / 3 % 2 == 0 ? 0 : 200 } }
        ).orNoMemory()
        let small = try Shrinking(from: stripes.size, to: PictureSize(width: 4, height: 1)).apply(to: stripes)
        small.withPixels { pixels in
            #expect(pixels.count == 12)
            for index in pixels.indices { #expect(pixels[index] == 100) }
        }
        let white = try Raster(PictureSize(width: 7, height: 5), paint: { $0.update(repeating: 255) }).orNoMemory()
        try Shrinking(from: white.size, to: PictureSize(width: 3, height: 2)).apply(to: white).withPixels { pixels in
            for index in pixels.indices { #expect(pixels[index] == 255) }
        }
    }
}
