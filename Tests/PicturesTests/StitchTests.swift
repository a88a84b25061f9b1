import Base
import CTurboJPEG
import Testing

@testable import Pictures

/// Two garments become one picture in which both are complete.
struct StitchTests {
    @Test func `garments of different sizes are complete, upper above lower, centred on white`() throws {
        let upper = DrawnPicture.plain(400, 500, .red).jpeg()
        let lower = DrawnPicture.plain(600, 300, .blue).png()
        let made = try Decoded(jpeg: PictureKit.stitch(upper: ByteSlice(upper), lower: ByteSlice(lower)))
        #expect((made.width, made.height) == (600, 800))
        let red = try #require(made.area(like: .red))
        let blue = try #require(made.area(like: .blue))
        #expect(red.x == 100...499 && red.y == 0...499 && red.isFull)
        #expect(blue.x == 0...599 && blue.y == 500...799 && blue.isFull)
        #expect(made[10, 10].isLike(.white) && made[590, 490].isLike(.white))
    }

    @Test func `the wider garment is shrunk to the other's width, but not below 768 pixels`() throws {
        let wide = DrawnPicture.quarters(1600, 800).jpeg()
        let narrow = DrawnPicture.plain(400, 400, .blue).png()
        let made = try Decoded(jpeg: PictureKit.stitch(upper: ByteSlice(narrow), lower: ByteSlice(wide)))
        #expect((made.width, made.height) == (768, 784))
        #expect(made[20, 420].isLike(.red) && made[740, 420].isLike(.green))
        #expect(made[20, 760].isLike(.blue) && made[740, 760].isLike(.yellow))
    }

    @Test(arguments: [
        (PictureSize(width: 300, height: 300), PictureSize(width: 300, height: 300)),
        (PictureSize(width: 3000, height: 4000), PictureSize(width: 3000, height: 4000)),
        (PictureSize(width: 300, height: 60_000), PictureSize(width: 60_000, height: 300)),
        (PictureSize(width: 300, height: 100_000), PictureSize(width: 300, height: 100_001)),
        (PictureSize(width: 8064, height: 6048), PictureSize(width: 301, height: 6048)),
        (PictureSize(width: 65_000, height: 300), PictureSize(width: 65_000, height: 300)),
    ])
    func `garments of any size fit into a picture that Kling accepts, in proportion`(
        _ upper: PictureSize, _ lower: PictureSize
    ) {
        let limits = PictureLimits()
        let plan = StitchPlan(upper: upper, lower: lower, limits)
        #expect(plan.canvas.longSide <= limits.maxOutputSide)
        #expect(min(plan.canvas.width, plan.canvas.height) >= limits.minSide)
        #expect(plan.upper.y >= 0 && plan.upper.y + plan.upper.size.height == plan.lower.y)
        #expect(plan.lower.y + plan.lower.size.height <= plan.canvas.height)
        for (place, size) in [(plan.upper, upper), (plan.lower, lower)] {
            #expect(place.x >= 0 && place.x + place.size.width <= plan.canvas.width)
            #expect(abs(2 * place.x + place.size.width - plan.canvas.width) <= 1)
            #expect(place.size.width <= size.width && place.size.height <= size.height)
            // Each side is correct to the pixel.
            let scale = Double(place.size.height) / Double(size.height)
            #expect(
                abs(Double(size.width) * scale - Double(place.size.width)) <= 1 + Double(size.width)
                    / Double(size.height))
        }
    }

    @Test func `a transparent garment is put on white`() throws {
        let upper = PNGFile(width: 320, height: 320, colorType: 6).file
        let lower = DrawnPicture.plain(320, 320, .green).webP(opacity: 0)
        let made = try Decoded(jpeg: PictureKit.stitch(upper: ByteSlice(upper), lower: ByteSlice(lower)))
        #expect(made[160, 100].isLike(.white) && made[160, 500].isLike(.white))
    }

    @Test func `half-transparent pixels are blended with white as browsers do it`() throws {
        let row: [UInt8] = [0] + (0..<320).flatMap { _ in [255, 0, 0, 128] as [UInt8] }
        let png = PNGFile(width: 320, height: 320, colorType: 6, rows: (0..<320).flatMap { _ in row }).file
        let webP = DrawnPicture.plain(320, 320, Color(red: 255, green: 0, blue: 0)).webP(opacity: 128)
        for file in [png, webP] {
            let header = try PictureHeader.read(ByteSlice(file), PictureLimits())
            let raster = try header.upright(ByteSlice(file), header.size, PictureLimits())
            raster.withPixels { #expect([$0[0], $0[1], $0[2]] == [255, 127, 127]) }
        }
    }

    @Test func `invisible colors do not shine through at the edges of a shrunk cut-out`() throws {
        // Black where it is transparent.
        let picture = DrawnPicture(width: 640, height: 640) { x, _ in
            x < 321 ? Color(red: 0, green: 0, blue: 0) : .white
        }
        let file = picture.webP(isLossless: false) { x, _ in x < 321 ? 0 : 255 }
        let header = try PictureHeader.read(ByteSlice(file), PictureLimits())
        let raster = try header.upright(ByteSlice(file), PictureSize(width: 320, height: 320), PictureLimits())
        raster.withPixels { pixels in
            for x in 0..<320 { #expect(pixels[(160 * 320 + x) * 3] > 235, "\(x): \(pixels[(160 * 320 + x) * 3])") }
        }
    }

    @Test func `each garment is turned upright`() throws {
        let turned = JPEGFile.adding(
            JPEGFile.exif(orientation: 6, isLittle: true), to: DrawnPicture.quarters(600, 400).jpeg())
        let made = try Decoded(
            jpeg: PictureKit.stitch(
                upper: ByteSlice(turned), lower: ByteSlice(DrawnPicture.plain(400, 300, .yellow).jpeg())))
        #expect((made.width, made.height) == (400, 900))
        // A quarter turn clockwise: what was at the bottom left is now at the top left.
        #expect(made[20, 20].isLike(.blue) && made[380, 20].isLike(.red))
        #expect(made[20, 580].isLike(.yellow) && made[380, 580].isLike(.green))
    }

    @Test func `an error says which of the two garments is wrong`() {
        let right = ByteSlice(DrawnPicture.plain(300, 300, .red).jpeg())
        let small = ByteSlice(DrawnPicture.plain(300, 299, .red).jpeg())
        let expected = PictureDefect.tooSmall(width: 300, height: 299, allowed: 300)
        #expect(throws: StitchDefect(part: .upper, defect: expected)) {
            try PictureKit.stitch(upper: small, lower: right)
        }
        #expect(throws: StitchDefect(part: .lower, defect: expected)) {
            try PictureKit.stitch(upper: right, lower: small)
        }
        #expect(throws: StitchDefect(part: .lower, defect: .format("an HTML or XML page"))) {
            try PictureKit.stitch(upper: right, lower: ByteSlice(Array("<html>".utf8)))
        }
    }

    @Test func `a file that would be too large is written with lower quality`() throws {
        var limits = PictureLimits()
        let noise = ByteSlice(DrawnPicture.noise(400, 400).png())
        let free = try PictureKit.stitch(upper: noise, lower: noise, limits: limits)
        limits.maxOutputBytes = free.count / 3
        let bound = try PictureKit.stitch(upper: noise, lower: noise, limits: limits)
        #expect(bound.count <= limits.maxOutputBytes)
        #expect(try Decoded(jpeg: bound).height == 800)
        limits.maxOutputBytes = 1000
        #expect(throws: StitchDefect.self) { try PictureKit.stitch(upper: noise, lower: noise, limits: limits) }
    }
}
