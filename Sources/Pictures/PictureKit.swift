public import Base

/// Work on pictures that strangers have sent: bounded in pixels, bytes and time, whatever the file says.
///
/// The functions block for as long as they work, up to a few seconds: call them on ``PictureWorkers``.
public enum PictureKit {
    /// Makes one white picture in which both garments are whole, `upper` above `lower`, each in the middle.
    ///
    /// They are never enlarged and keep their proportions. The wider one is made as wide as the other, but not narrower
    /// than 768 pixels, so that neither dwarfs the other; both shrink alike when they are too tall together.
    /// - Returns: a JPEG file within `limits`.
    public static func stitch(
        upper: ByteSlice, lower: ByteSlice, limits: PictureLimits = PictureLimits()
    ) throws(StitchDefect) -> Bytes {
        // Both headers are judged before anything is decoded.
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
            return try JPEGEncoder.encode(canvas.raster, atMost: limits.madeBytes)
        } catch {
            throw StitchDefect(part: .upper, defect: error)
        }
    }

    /// Brings a picture into a form that Kling takes: upright by its EXIF orientation, in one of the formats of `limits`,
    /// RGB, and within them. What is made has JPEG quality 92 with full colour; if that is too large, 85, 70 or 50.
    /// - Returns: a JPEG file; nil if the picture needs nothing and is to be sent as it is.
    public static func normalize(
        _ file: ByteSlice, limits: PictureLimits = PictureLimits()
    ) throws(PictureDefect) -> Bytes? {
        try normalized(file, limits).made
    }

    /// A file by a link of which Kling takes the picture, and its format: `file` itself if it needs nothing, else what
    /// ``normalize(_:limits:)`` makes of it.
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
            && header.print == nil && size == header.size && file.count <= limits.madeBytes
        if isFine { return (nil, header) }
        return (try JPEGEncoder.encode(try header.upright(file, size, limits), atMost: limits.madeBytes), header)
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
    /// `size`, shrunk to the longest side that is made, unless the shorter one would become too short by that.
    fileprivate func shrunk(_ size: PictureSize) throws(PictureDefect) -> PictureSize {
        guard size.longSide > madeSide else { return size }
        let shorter = min(size.width, size.height)
        if shorter * madeSide >= leastSide * size.longSide { return size.scaled(by: madeSide, over: size.longSide) }
        guard !isStrict else {
            throw .tooLong(width: size.width, height: size.height, allowed: madeSide, moreThan: leastSide - 1)
        }
        return size.scaled(by: leastSide, over: shorter)
    }
}
