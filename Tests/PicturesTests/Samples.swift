import Base
import CPNG
import CTurboJPEG
import CWebP
import Testing

@testable import Pictures

struct Color: Equatable, CustomStringConvertible {
    var red: UInt8
    var green: UInt8
    var blue: UInt8

    static let red = Color(red: 220, green: 20, blue: 30)
    static let green = Color(red: 20, green: 180, blue: 40)
    static let blue = Color(red: 30, green: 40, blue: 200)
    static let yellow = Color(red: 230, green: 220, blue: 30)
    static let white = Color(red: 255, green: 255, blue: 255)

    var description: String { "(\(red), \(green), \(blue))" }

    /// Whether it is the same color, apart from JPEG loss.
    func isLike(_ other: Color, within tolerance: Int = 12) -> Bool {
        zip([red, green, blue], [other.red, other.green, other.blue]).allSatisfy {
            abs(Int($0) - Int($1)) <= tolerance
        }
    }
}

/// A picture whose pixels are all known.
struct DrawnPicture {
    let width: Int
    let height: Int
    let color: (_ x: Int, _ y: Int) -> Color

    static func plain(_ width: Int, _ height: Int, _ color: Color) -> DrawnPicture {
        DrawnPicture(width: width, height: height) { _, _ in color }
    }

    /// Four quarters: red and green above, blue and yellow below.
    static func quarters(_ width: Int, _ height: Int) -> DrawnPicture {
        DrawnPicture(width: width, height: height) { x, y in
            y < height / 2 ? (x < width / 2 ? .red : .green) : (x < width / 2 ? .blue : .yellow)
        }
    }

    /// Noise, which does not compress.
    static func noise(_ width: Int, _ height: Int) -> DrawnPicture {
        DrawnPicture(width: width, height: height) { x, y in
            let number = UInt32(truncatingIfNeeded: (y * width + x) &* 2_654_435_761) ^ UInt32(y &* 40_503)
            let mixed = (number ^ number >> 15) &* 2_246_822_519
            return Color(
                red: UInt8(truncatingIfNeeded: mixed), green: UInt8(truncatingIfNeeded: mixed >> 8),
                blue: UInt8(truncatingIfNeeded: mixed >> 16))
        }
    }

    func bytes(_ channels: (Color) -> [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(width * height * 4)
        for y in 0..<height {
            for x in 0..<width { bytes += channels(color(x, y)) }
        }
        return bytes
    }

    // MARK: Files

    func jpeg(
        _ format: TJPF = TJPF_RGB, subsampling: TJSAMP = TJSAMP_444, flags: CInt = 0, quality: CInt = 92
    ) -> [UInt8] {
        let pixels = bytes { color in
            // Inverted, as Adobe does it.
            format == TJPF_CMYK
                ? [color.red, color.green, color.blue, 255] : [color.red, color.green, color.blue]
        }
        let handle = tjInitCompress()
        defer { tjDestroy(handle) }
        var file: UnsafeMutablePointer<UInt8>?
        var count: CUnsignedLong = 0
        let status = tjCompress2(
            handle, pixels, CInt(width), 0, CInt(height), CInt(format.rawValue), &file, &count,
            CInt(subsampling.rawValue), quality, flags)
        precondition(status == 0, String(cString: tjGetErrorStr2(handle)))
        defer { tjFree(file) }
        return Array(UnsafeBufferPointer(start: file, count: Int(count)))
    }

    func png() -> [UInt8] {
        var image = png_image()
        image.version = 1
        (image.width, image.height) = (png_uint_32(width), png_uint_32(height))
        image.format = png_uint_32(PNG_FORMAT_RGB)
        let pixels = bytes { [$0.red, $0.green, $0.blue] }
        var count = 0
        precondition(png_image_write_to_memory(&image, nil, &count, 0, pixels, 0, nil) != 0)
        var file = [UInt8](repeating: 0, count: count)
        precondition(png_image_write_to_memory(&image, &file, &count, 0, pixels, 0, nil) != 0)
        return Array(file[..<count])
    }

    func webP(isLossless: Bool = true, opacity: UInt8? = nil) -> [UInt8] {
        webP(isLossless: isLossless) { _, _ in opacity ?? 255 }
    }

    func webP(isLossless: Bool, opacity: (_ x: Int, _ y: Int) -> UInt8) -> [UInt8] {
        var place = 0
        let pixels = bytes { color in
            defer { place += 1 }
            return [color.red, color.green, color.blue, opacity(place % self.width, place / self.width)]
        }
        var file: UnsafeMutablePointer<UInt8>?
        let (width, height) = (CInt(width), CInt(height))
        let count =
            isLossless
            ? WebPEncodeLosslessRGBA(pixels, width, height, width * 4, &file)
            : WebPEncodeRGBA(pixels, width, height, width * 4, 95, &file)
        defer { WebPFree(file) }
        return Array(UnsafeBufferPointer(start: file, count: count))
    }
}

/// A decoded result.
struct Decoded {
    let width: Int
    let height: Int
    let subsampling: CInt
    private let pixels: [UInt8]

    init(jpeg file: Bytes) throws {
        self = try file.withUnsafeBytes { try Decoded(jpeg: Array($0)) }
    }

    init(jpeg file: [UInt8]) throws {
        let handle = tjInitDecompress()
        defer { tjDestroy(handle) }
        var (width, height, subsampling, space) = (CInt(0), CInt(0), CInt(0), CInt(0))
        let status = tjDecompressHeader3(
            handle, file, CUnsignedLong(file.count), &width, &height, &subsampling, &space)
        try #require(status == 0)
        try #require(space == TJCS_YCbCr.rawValue, "Kling is sent ordinary JPEG")
        var pixels = [UInt8](repeating: 0, count: Int(width * height) * 3)
        let decoded = tjDecompress2(
            handle, file, CUnsignedLong(file.count), &pixels, width, 0, height, CInt(TJPF_RGB.rawValue), 0)
        try #require(decoded == 0)
        (self.width, self.height, self.subsampling, self.pixels) = (Int(width), Int(height), subsampling, pixels)
    }

    subscript(x: Int, y: Int) -> Color {
        let start = (y * width + x) * 3
        return Color(red: pixels[start], green: pixels[start + 1], blue: pixels[start + 2])
    }

    /// The smallest rectangle that contains all pixels like `color`, and whether they fill it.
    func area(like color: Color) -> (x: ClosedRange<Int>, y: ClosedRange<Int>, isFull: Bool)? {
        var (left, right, top, bottom, count) = (Int.max, 0, Int.max, 0, 0)
        for y in 0..<height {
            for x in 0..<width where self[x, y].isLike(color, within: 30) {
                (left, right, top, bottom) = (min(left, x), max(right, x), min(top, y), max(bottom, y))
                count += 1
            }
        }
        guard count > 0 else { return nil }
        return (left...right, top...bottom, count == (right - left + 1) * (bottom - top + 1))
    }
}

extension ByteSlice {
    init(_ file: [UInt8]) { self.init(Bytes(file), 0..<file.count) }
}

/// Takes JPEG files apart and puts them together again.
enum JPEGFile {
    static func segment(_ marker: UInt8, _ content: [UInt8]) -> [UInt8] {
        [0xFF, marker] + big(content.count + 2, 2) + content
    }

    /// `file` with `segments` after its first marker.
    static func adding(_ segments: [UInt8], to file: [UInt8]) -> [UInt8] {
        Array(file[..<2]) + segments + file[2...]
    }

    /// An EXIF segment with this orientation.
    static func exif(orientation: Int, isLittle: Bool) -> [UInt8] {
        segment(0xE1, Array("Exif\0\0".utf8) + tiff(orientation: orientation, isLittle: isLittle))
    }

    static func tiff(orientation: Int, isLittle: Bool, count: Int = 1) -> [UInt8] {
        func number(_ value: Int, _ width: Int) -> [UInt8] { isLittle ? little(value, width) : big(value, width) }
        let entry = number(0x0112, 2) + number(3, 2) + number(count, 4) + number(orientation, 2) + [0, 0]
        return Array((isLittle ? "II" : "MM").utf8) + number(42, 2) + number(8, 4) + number(1, 2) + entry
            + number(0, 4)
    }

    /// The last position of a marker.
    static func last(_ marker: UInt8, in file: [UInt8]) -> Int? {
        file.indices.dropLast().last { file[$0] == 0xFF && file[$0 + 1] == marker }
    }

    /// `file` with its last scan repeated `count` more times.
    static func repeatingLastScan(_ count: Int, of file: [UInt8]) -> [UInt8] {
        guard let start = last(0xDA, in: file), let end = last(0xD9, in: file) else { return file }
        let scan = Array(file[start..<end])
        var long = Array(file[..<end])
        long.reserveCapacity(file.count + scan.count * count)
        for _ in 0..<count { long += scan }
        return long + [0xFF, 0xD9]
    }

    /// `file` with another marker for its frame header.
    static func renamingFrame(of file: [UInt8], to marker: UInt8) -> [UInt8] {
        var renamed = file
        for index in file.indices.dropLast() where file[index] == 0xFF && (0xC0...0xC2).contains(file[index + 1]) {
            renamed[index + 1] = marker
            break
        }
        return renamed
    }
}

/// WebP files assembled from chunks.
enum WebPFile {
    static func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
        Array(name.utf8) + little(content.count) + content + (content.count % 2 == 1 ? [0] : [])
    }

    static func file(_ chunks: [UInt8]) -> [UInt8] {
        Array("RIFF".utf8) + little(chunks.count + 4) + Array("WEBP".utf8) + chunks
    }

    /// The chunks of a plain file, without its header.
    static func chunks(of file: [UInt8]) -> [UInt8] { Array(file[12...]) }

    static func extended(_ width: Int, _ height: Int, flags: UInt8) -> [UInt8] {
        chunk("VP8X", [flags, 0, 0, 0] + little(width - 1, 3) + little(height - 1, 3))
    }

    /// An animation of plain files, all of the same size.
    /// - Parameter frame: where the frames lie, at even coordinates; nil: they fill the picture.
    static func animation(
        _ width: Int, _ height: Int, _ frames: [[UInt8]], frame: (x: Int, y: Int, width: Int, height: Int)? = nil
    ) -> [UInt8] {
        let place = frame ?? (0, 0, width, height)
        var all = extended(width, height, flags: 0x02) + chunk("ANIM", [255, 255, 255, 255, 0, 0])
        for frame in frames {
            let corner = little(place.x / 2, 3) + little(place.y / 2, 3)
            let head = corner + little(place.width - 1, 3) + little(place.height - 1, 3) + little(100, 3) + [0]
            all += chunk("ANMF", head + chunks(of: frame))
        }
        return file(all)
    }
}
