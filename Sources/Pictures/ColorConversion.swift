internal import Base
internal import CLCMS2

/// Converts the pixels of one picture to sRGB.
final class ColorConversion {
    /// The most that a sample changes. Any change counts for inks.
    private let maxShift: Int
    /// Whether the picture looks different where its encoding is ignored.
    var isNoticeable: Bool { maxShift > Self.hardlyVisible }

    private let method: Method

    private enum Method {
        case transform(ColorTransform)
        /// What each gray value becomes: red, green and blue.
        case table([UInt8])
    }

    /// A change that is invisible, and no larger than the changes that JPEG encoding makes.
    private static let invisible = 3
    /// The change between sRGB and the exponent 2.2, which many programs write into PNG files without meaning it. It is
    /// 8 at most, in dark pixels.
    private static let hardlyVisible = 10

    /// The conversion that the picture in `file` needs: by the first of its encodings that is valid and fits it.
    /// - Returns: nil if it is in sRGB, or nearly so, as pictures without a valid encoding are.
    static func needed(
        for header: PictureHeader, in file: ByteSlice, _ limits: PictureLimits
    ) -> ColorConversion? {
        for encoding in header.colors {
            if let conversion = ColorConversion(encoding, header, file, limits) {
                return conversion.maxShift > invisible ? conversion : nil
            }
        }
        return nil
    }

    private init?(_ encoding: ColorEncoding, _ header: PictureHeader, _ file: ByteSlice, _ limits: PictureLimits) {
        let profile = ColorProfile(encoding, in: file, limits)
        let space = profile?.space ?? .rgb
        guard header.accepts(space) else { return nil }
        guard let context = ColorContext(), let target = OpenProfile.sRGB(in: context),
            let source = profile.map({ OpenProfile($0.bytes, in: context) })
                ?? OpenProfile.made(of: encoding, in: context),
            let transform = ColorTransform(
                from: source, to: target, layout: Self.layout(space, hasAlpha: header.hasAlpha), in: context)
        else { return nil }
        switch space {
        case .cmyk: (method, maxShift) = (.transform(transform), 255)
        case .gray:
            let table = transform.applied(to: (0...255).map { $0 })
            (method, maxShift) = (.table(table), Self.shift((0..<768).map { UInt8($0 / 3) }, table))
        case .rgb:
            var result = Self.samples(hasAlpha: header.hasAlpha)
            var span = result.mutableSpan
            transform.apply(to: &span, bytesPerPixel: header.hasAlpha ? 4 : 3)
            (method, maxShift) = (.transform(transform), Self.shift(Self.samples(hasAlpha: header.hasAlpha), result))
        }
    }

    private static func layout(_ space: ColorProfile.Space, hasAlpha: Bool) -> (UInt32, UInt32) {
        switch space {
        case .gray: (clcms2_gray, clcms2_rgb)
        case .cmyk: (clcms2_inverted_cmyk, clcms2_rgb)
        case .rgb: hasAlpha ? (clcms2_rgba, clcms2_rgba) : (clcms2_rgb, clcms2_rgb)
        }
    }

    /// Colors from the whole color space, including dark ones, in which exponents differ most.
    private static func samples(hasAlpha: Bool) -> [UInt8] {
        let levels: [UInt8] = [0, 20, 64, 128, 192, 255]
        return levels.flatMap { red in
            levels.flatMap { green in levels.flatMap { [red, green, $0] + (hasAlpha ? [255] : []) } }
        }
    }

    private static func shift(_ samples: [UInt8], _ result: [UInt8]) -> Int {
        zip(samples, result).reduce(0) { max($0, abs(Int($1.0) - Int($1.1))) }
    }

    // MARK: Converting

    /// Converts pixels in place.
    /// - Parameter bytesPerPixel: 4 for a picture with transparent parts, whose opacity stays, otherwise 3.
    func apply(to pixels: inout MutableSpan<UInt8>, bytesPerPixel: Int) {
        switch method {
        case .transform(let transform): transform.apply(to: &pixels, bytesPerPixel: bytesPerPixel)
        case .table(let table):
            for pixel in 0..<pixels.count / bytesPerPixel {
                for color in 0..<3 {
                    let index = pixel * bytesPerPixel + color
                    pixels[index] = table[Int(pixels[index]) * 3 + color]
                }
            }
        }
    }

    /// Converts inks, as JPEG files store them, to `target` from `start` on.
    func convert(inks: Span<UInt8>, into target: inout MutableSpan<UInt8>, at start: Int) {
        guard case .transform(let transform) = method else { return }
        transform.apply(inks.count / 4, of: inks, into: &target, at: start)
    }
}

extension PictureHeader {
    /// Whether a profile for such samples can be the picture's, by Chromium's rules.
    fileprivate func accepts(_ space: ColorProfile.Space) -> Bool {
        switch space {
        case .cmyk: isCMYK
        case .rgb: !isCMYK
        case .gray: isGray
        }
    }
}

extension ColorTransform {
    /// What each gray value becomes: red, green and blue.
    fileprivate func applied(to grays: [UInt8]) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: grays.count * 3)
        var span = result.mutableSpan
        apply(grays.count, of: grays.span, into: &span, at: 0)
        return result
    }
}
