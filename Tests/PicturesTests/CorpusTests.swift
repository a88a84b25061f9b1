import Base
import Testing

@testable import Pictures

/// Odd pictures come out as a browser shows them where the gateway works on them, and unchanged where it does not.
@Suite(.enabled(if: Corpus.hasPython, "there is no .venv with Pillow: `make deps` says why")) struct CorpusTests {
    @Test func `every picture is right side up and has the colors that a browser shows`() async throws {
        let corpus = try await Corpus.make()
        #expect(corpus.pictures.count > 50)
        try expectUpright(corpus.pictures, in: corpus)
    }

    @Test(.enabled(if: Corpus.hasCJPEG, "there is no cjpeg: `make deps` installs it"))
    func `every sampling that cjpeg writes is read, even from a rotated file or one with stray bytes`() async throws {
        let corpus = try await Corpus.make()
        #expect(corpus.samplings.count > 900)
        try expectUpright(corpus.samplings, in: corpus)
    }

    private func expectUpright(_ pictures: [Corpus.Picture], in corpus: Corpus) throws {
        for picture in pictures {
            let file = try corpus.file(picture)
            let header = try PictureHeader.read(file, PictureLimits())
            let raster = try header.upright(file, header.uprightSize, PictureLimits())
            #expect([raster.size.width, raster.size.height] == picture.size, "\(picture.name)")
            for (found, wanted) in zip(Self.quarters(of: raster), picture.colors) {
                // Pillow and the gateway may use versions of a library that round differently.
                let difference = zip(found, wanted).reduce(0) { max($0, abs($1.0 - $1.1)) }
                #expect(difference <= 3, "\(picture.name): \(found) for \(wanted)")
            }
        }
    }

    @Test func `pictures that Kling can be sent are left alone, and the others become JPEG`() async throws {
        let corpus = try await Corpus.make()
        for picture in corpus.pictures {
            let made = try PictureKit.normalize(try corpus.file(picture))
            #expect((made == nil) == picture.isAcceptedByKling, "\(picture.name)")
            guard let made else { continue }
            let decoded = try Decoded(jpeg: made)
            #expect([decoded.width, decoded.height] == picture.size, "\(picture.name)")
            for (index, wanted) in picture.colors.enumerated() {
                let found = decoded[
                    (index % 2 * 2 + 1) * decoded.width / 4, (index / 2 * 2 + 1) * decoded.height / 4]
                let color = Color(red: UInt8(wanted[0]), green: UInt8(wanted[1]), blue: UInt8(wanted[2]))
                #expect(found.isLike(color, within: 6), "\(picture.name): \(found) for \(color)")
            }
        }
    }

    /// The middle of each quarter.
    private static func quarters(of raster: Raster) -> [[Int]] {
        raster.withPixels { pixels in
            [(1, 1), (3, 1), (1, 3), (3, 3)].map { x, y in
                let start = ((y * raster.size.height / 4) * raster.size.width + x * raster.size.width / 4) * 3
                return (0..<3).map { Int(pixels[start + $0]) }
            }
        }
    }
}
