internal import Base

extension PictureHeader {
    /// Decodes the picture in `file`, which has this header, to at least the size `wanted`, in its stored orientation and
    /// in sRGB.
    ///
    /// JPEG and WebP are shrunk while they are decoded, so that a large picture is not in memory as a whole.
    func decode(
        _ file: ByteSlice, atLeast wanted: PictureSize, _ limits: PictureLimits
    ) throws(PictureDefect) -> Raster {
        let colors = ColorConversion.needed(for: self, in: file, limits)
        switch format {
        case .jpeg:
            let scans = file.withBytes { JPEGScans($0) }
            guard scans.count <= limits.scans else { throw .scans(scans.count, allowed: limits.scans) }
            return try JPEGDecoder(self, colors, limits).decode(file, atLeast: wanted)
        case .png: return try PNGDecoder(self, colors).decode(file, within: limits.pngTime)
        case .webp: return try WebPDecoder(self, colors).decode(file, to: wanted)
        }
    }

    /// Decodes the picture to exactly `wanted`, upright.
    func upright(
        _ file: ByteSlice, _ wanted: PictureSize, _ limits: PictureLimits
    ) throws(PictureDefect) -> Raster {
        let stored = orientation.swapsSides ? wanted.turned : wanted
        let raster = try decode(file, atLeast: stored, limits)
        return try Shrinking(from: raster.size, to: stored).apply(to: raster).turned(orientation)
    }
}
