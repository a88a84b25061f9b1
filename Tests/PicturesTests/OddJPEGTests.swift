import Base
import Testing

@testable import Pictures

/// JPEG files that are valid, or nearly so, and that every decoder reads.
struct OddJPEGTests {
    @Test(arguments: [
        [(1, 1), (1, 1), (1, 1)], [(2, 2), (1, 1), (1, 1)], [(4, 2), (1, 1), (1, 1)], [(3, 1), (1, 1), (1, 1)],
        [(1, 4), (1, 1), (1, 1)], [(2, 1), (1, 1), (2, 1)], [(1, 1), (2, 2), (2, 2)], [(2, 2), (1, 2), (1, 2)],
    ])
    func `every sampling that decoders read is decoded, at every scale`(_ sampling: [(Int, Int)]) throws {
        // Y, Cb and Cr of (200, 50, 50).
        let file = PlainJPEG(sampling: sampling, samples: [95, 103, 203]).file
        let made = try Decoded(jpeg: PictureKit.stitch(upper: ByteSlice(file), lower: ByteSlice(file)))
        #expect((made.width, made.height) == (320, 608))
        #expect(made[160, 100].isLike(Color(red: 200, green: 50, blue: 50), within: 3), "\(made[160, 100])")
        var limits = PictureLimits()
        (limits.minSide, limits.maxOutputSide) = (30, 40)
        let small = try Decoded(jpeg: #require(try PictureKit.normalize(ByteSlice(file), limits: limits)))
        #expect(small[20, 20].isLike(Color(red: 200, green: 50, blue: 50), within: 3), "\(small[20, 20])")
    }

    @Test(arguments: [[], JPEGFile.segment(0xEE, Array("Adobe".utf8) + [0, 100, 0, 0, 0, 0, 0])])
    func `inks are inverted with and without Adobe's marker`(_ segments: [UInt8]) throws {
        let file = PlainJPEG(
            sampling: Array(repeating: (1, 1), count: 4), samples: [220, 20, 30, 255], segments: segments
        ).file
        let made = try Decoded(jpeg: #require(try PictureKit.normalize(ByteSlice(file))))
        #expect(made[100, 100].isLike(.red, within: 3), "\(made[100, 100])")
    }

    @Test func `stray bytes between segments are skipped`() throws {
        let plain = DrawnPicture.quarters(320, 300).jpeg()
        let second = 4 + Int(plain[4]) * 256 + Int(plain[5])
        let file = Array(plain[..<second]) + [1, 2, 3, 4, 0xFF, 0, 5] + plain[second...]
        #expect(try PictureKit.normalize(ByteSlice(file)) == nil)
        let made = try Decoded(jpeg: PictureKit.stitch(upper: ByteSlice(file), lower: ByteSlice(plain)))
        #expect(made[20, 20].isLike(.red) && made[20, 320].isLike(.red))
    }
}
