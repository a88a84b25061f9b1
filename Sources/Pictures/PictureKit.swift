public import Base

/// Processes untrusted pictures within bounds of pixels, bytes and time.
///
/// The functions block while they work, up to a few seconds: call them on ``PictureWorkers``.
public enum PictureKit {
    /// Stitches two whole garments into one white picture, `upper` above `lower`, each centered.
    ///
    /// They are never enlarged and keep their proportions. The wider one is shrunk to the width of the other, but not
    /// below 768 pixels, so that neither dwarfs the other. If they are too large together, both shrink by the same
    /// factor.
    /// - Returns: a JPEG file within `limits`.
    public static func stitch(
        upper: ByteSlice, lower: ByteSlice, limits: PictureLimits = PictureLimits()
    ) throws(StitchDefect) -> Bytes {
        // Both headers are checked before anything is decoded.
        let headers = (
            upper: try read(upper, .upper, limits), lower: try read(lower, .lower, limits)
        )
        let plan = StitchPlan(upper: headers.upper.uprightSize, lower: headers.lower.uprightSize, limits)
        let canvas = try Canvas(
            plan.canvas,
            [
                (plan.upper, { () throws(StitchDefect) in try part(upper, headers.upper, plan.upper, .upper, limits) }),
                (plan.lower, { () throws(StitchDefect) in try part(lower, headers.lower, plan.lower, .lower, limits) }),
            ])
        guard let canvas else { throw StitchDefect(part: .upper, defect: .noMemory) }
        do {
            return try JPEGEncoder.encode(canvas.raster, atMost: limits.maxOutputBytes)
        } catch {
            throw StitchDefect(part: .upper, defect: error)
        }
    }

    /// Converts a picture to a form that Kling accepts, as a browser shows it on a white page: upright, in sRGB, and
    /// within the sizes and formats of `limits`. An animation becomes its first frame.
    ///
    /// The result has JPEG quality 92 with full color resolution; if that is too large, 85, 70 or 50.
    /// - Returns: a JPEG file; nil if the picture can be sent as it is.
    public static func normalize(
        _ file: ByteSlice, limits: PictureLimits = PictureLimits()
    ) throws(PictureDefect) -> Bytes? {
        try normalized(file, limits).made
    }

    /// Prepares a picture that Kling fetches by URL, and returns its format. `made` is nil if `file` can be served as
    /// it is; otherwise it is the result of ``normalize(_:limits:)``.
    public static func prepare(
        _ file: ByteSlice, limits: PictureLimits = .solutions
    ) throws(PictureDefect) -> (made: Bytes?, format: PictureFormat) {
        let (made, header) = try normalized(file, limits)
        return (made, made == nil ? header.format : .jpeg)
    }

    private static func normalized(
        _ file: ByteSlice, _ limits: PictureLimits
    ) throws(PictureDefect) -> (made: Bytes?, PictureHeader) {
        let header = try PictureHeader.read(file, limits)
        let size = try limits.shrunk(header.uprightSize)
        let isFine =
            limits.formats.contains(header.format) && !header.isAnimated && header.orientation == .upright
            && !header.isTurnedBySome && !header.isCMYK && size == header.size && file.count <= limits.maxOutputBytes
            && ColorConversion.needed(for: header, in: file, limits)?.isNoticeable != true
        if isFine { return (nil, header) }
        return (try JPEGEncoder.encode(try header.upright(file, size, limits), atMost: limits.maxOutputBytes), header)
    }

    private static func read(
        _ file: ByteSlice, _ part: StitchDefect.Part, _ limits: PictureLimits
    ) throws(StitchDefect) -> PictureHeader {
        do { return try PictureHeader.read(file, limits) } catch { throw StitchDefect(part: part, defect: error) }
    }

    private static func part(
        _ file: ByteSlice, _ header: PictureHeader, _ place: StitchPlan.Place, _ part: StitchDefect.Part,
        _ limits: PictureLimits
    ) throws(StitchDefect) -> Raster {
        do {
            return try header.upright(file, place.size, limits)
        } catch {
            throw StitchDefect(part: part, defect: error)
        }
    }
}

extension PictureLimits {
    /// `size` shrunk to a longest side of ``maxOutputSide``, unless that would make the shorter side too short.
    fileprivate func shrunk(_ size: PictureSize) throws(PictureDefect) -> PictureSize {
        guard size.longSide > maxOutputSide else { return size }
        let shorter = min(size.width, size.height)
        if shorter * maxOutputSide >= minSide * size.longSide {
            return size.scaled(by: maxOutputSide, over: size.longSide)
        }
        guard !isStrict else {
            throw .tooLong(width: size.width, height: size.height, allowed: maxOutputSide, moreThan: minSide - 1)
        }
        return size.scaled(by: minSide, over: shorter)
    }
}
