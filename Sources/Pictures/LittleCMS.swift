internal import Base
internal import CLCMS2

/// A context of Little CMS, in which the size of tables is limited. It owns the library's handle.
@safe final class ColorContext {
    fileprivate let handle: cmsContext

    init?() {
        guard let handle = unsafe clcms2_create_context() else { return nil }
        unsafe self.handle = handle
    }

    deinit { unsafe cmsDeleteContext(handle) }
}

/// A color profile, ready to be used. It owns the library's handle.
@safe final class OpenProfile {
    private let context: ColorContext
    fileprivate let handle: cmsHPROFILE

    private init?(_ context: ColorContext, _ handle: cmsHPROFILE?) {
        guard let handle = unsafe handle else { return nil }
        self.context = context
        unsafe self.handle = handle
    }

    deinit { unsafe cmsCloseProfile(handle) }

    /// Opens an ICC profile; nil if it is broken.
    convenience init?(_ bytes: [UInt8], in context: ColorContext) {
        // The library copies the bytes.
        let handle = unsafe bytes.withUnsafeBytes {
            unsafe cmsOpenProfileFromMemTHR(context.handle, $0.baseAddress, cmsUInt32Number($0.count))
        }
        unsafe self.init(context, handle)
    }

    /// The profile of sRGB.
    static func sRGB(in context: ColorContext) -> OpenProfile? {
        unsafe OpenProfile(context, cmsCreate_sRGBProfileTHR(context.handle))
    }

    /// Makes a profile of an encoding without one; nil if it has no meaning here.
    static func made(of encoding: ColorEncoding, in context: ColorContext) -> OpenProfile? {
        guard let (points, curve) = unsafe encoding.parameters(in: context.handle) else { return nil }
        // `curves` is lent to the library, which copies it.
        defer { unsafe cmsFreeToneCurve(curve) }
        var white = points.white
        var primaries = points.primaries
        var curves: [OpaquePointer?] = unsafe [curve, curve, curve]
        return unsafe OpenProfile(context, cmsCreateRGBProfileTHR(context.handle, &white, &primaries, &curves))
    }
}

/// Converts pixels from one profile to another. It owns the library's handle.
@safe final class ColorTransform {
    private let context: ColorContext
    private let handle: cmsHTRANSFORM

    /// - Parameters:
    ///   - layout: the layouts of the pixels before and after.
    /// - Returns: nil if the source has no such samples, or cannot be used.
    init?(from source: OpenProfile, to target: OpenProfile, layout: (UInt32, UInt32), in context: ColorContext) {
        // Browsers use the perceptual tables of a profile, too.
        let handle = unsafe cmsCreateTransformTHR(
            context.handle, source.handle, layout.0, target.handle, layout.1, cmsUInt32Number(INTENT_PERCEPTUAL), 0)
        guard let handle = unsafe handle else { return nil }
        self.context = context
        unsafe self.handle = handle
    }

    deinit { unsafe cmsDeleteTransform(handle) }

    /// Converts `pixels` in place, where both layouts have the same size.
    func apply(to pixels: inout MutableSpan<UInt8>, bytesPerPixel: Int) {
        let count = pixels.count / bytesPerPixel
        // The library reads and writes `count` pixels, each before the next.
        unsafe pixels.withUnsafeMutableBufferPointer {
            unsafe cmsDoTransform(handle, $0.baseAddress, $0.baseAddress, cmsUInt32Number(count))
        }
    }

    /// Converts `count` pixels of `source` to the bytes of `target` from `start` on.
    func apply(_ count: Int, of source: Span<UInt8>, into target: inout MutableSpan<UInt8>, at start: Int) {
        precondition(source.count >= count && start + count * 3 <= target.count, "the pixels do not fit")
        // The library reads `count` pixels, and writes three bytes for each.
        unsafe source.withUnsafeBufferPointer { source in
            unsafe target.withUnsafeMutableBufferPointer { target in
                unsafe cmsDoTransform(
                    handle, source.baseAddress, target.baseAddress.map { unsafe $0 + start }, cmsUInt32Number(count))
            }
        }
    }
}

extension ColorEncoding {
    /// Where white and the primaries lie, and the curve of the samples, which the caller frees; nil for an ICC profile,
    /// and for what is not supported.
    fileprivate func parameters(
        in context: cmsContext
    ) -> (points: (white: cmsCIExyY, primaries: cmsCIExyYTRIPLE), curve: OpaquePointer)? {
        switch self {
        case .profile, .compressedProfile: return nil
        case .measured(let gamma, let chromaticities):
            guard let points = Self.points(chromaticities ?? Self.sRGBPoints) else { return nil }
            return unsafe cmsBuildGamma(context, 100_000 / Double(gamma)).map { unsafe (points, $0) }
        case .codes(let primaries, let transfer):
            guard let chromaticities = Self.chromaticities(primaries), let points = Self.points(chromaticities),
                let curve = Self.curve(transfer)
            else { return nil }
            return unsafe cmsBuildParametricToneCurve(context, curve.type, curve.parameters).map { unsafe (points, $0) }
        }
    }

    private static let sRGBPoints = [31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000]

    /// ITU-T H.273, table 2, for those that are in use.
    private static func chromaticities(_ primaries: UInt8) -> [Int]? {
        switch primaries {
        case 1: sRGBPoints
        case 9: [31_270, 32_900, 70_800, 29_200, 17_000, 79_700, 13_100, 4_600]
        case 12: [31_270, 32_900, 68_000, 32_000, 26_500, 69_000, 15_000, 6_000]
        default: nil
        }
    }

    /// ITU-T H.273, table 3, apart from those of high dynamic range, which browsers map to the current screen.
    private static func curve(_ transfer: UInt8) -> (type: Int32, parameters: [Double])? {
        switch transfer {
        // As a television shows it (BT.1886), not as a camera records it.
        case 1, 6, 14, 15: (1, [2.4])
        case 4: (1, [2.2])
        case 5: (1, [2.8])
        case 8: (1, [1])
        case 13: (4, [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045])
        default: nil
        }
    }

    private static func points(_ chromaticities: [Int]) -> (white: cmsCIExyY, primaries: cmsCIExyYTRIPLE)? {
        let points = stride(from: 0, to: 8, by: 2).map { (chromaticities[$0], chromaticities[$0 + 1]) }
        guard points.allSatisfy({ $0.1 > 0 && $0.0 + $0.1 <= 100_000 }) else { return nil }
        let all = points.map { cmsCIExyY(x: Double($0.0) / 100_000, y: Double($0.1) / 100_000, Y: 1) }
        return (all[0], cmsCIExyYTRIPLE(Red: all[1], Green: all[2], Blue: all[3]))
    }
}
