internal import Base

/// Shrinks a picture by area averaging: a new pixel is the mean of the area that it covers.
struct Shrinking {
    /// The source pixels that make up one new pixel along one axis, each with its share.
    private struct Window {
        let start: Int
        /// They add up to ``one``.
        let shares: [UInt32]
    }

    private static let shareBits = 14
    private static let one: UInt32 = 1 << 14
    /// Fractional bits that a row keeps between the two passes.
    private static let rowBits = 6

    private let columns: [Window]
    private let rows: [Window]
    private let from: PictureSize
    private let to: PictureSize

    /// - Parameter to: no larger than `from` on either side.
    init(from: PictureSize, to: PictureSize) {
        precondition(to.width <= from.width && to.height <= from.height, "a picture is never enlarged")
        self.from = from
        self.to = to
        columns = Self.windows(from.width, to.width)
        rows = Self.windows(from.height, to.height)
    }

    /// The picture at its new size.
    func apply(to raster: Raster) throws(PictureDefect) -> Raster {
        if from == to { return raster }
        return try Raster(to, paint: { target in raster.withPixels { shrink($0, into: &target) } }).orNoMemory()
    }

    private static func windows(_ from: Int, _ to: Int) -> [Window] {
        (0..<to).map { index in
            // New pixel `index` covers from * index / to up to from * (index + 1) / to; the unit here is 1 / to of a
            // pixel.
            let (begin, end) = (from * index, from * (index + 1))
            let (first, last) = (begin / to, (end - 1) / to)
            var shares = (first...last).map { pixel in
                let covered = min(end, (pixel + 1) * to) - max(begin, pixel * to)
                return UInt32(covered * Int(one) / from)
            }
            // The pixel in the middle gets what rounding has lost.
            shares[shares.count / 2] += one - shares.reduce(0, +)
            return Window(start: first, shares: shares)
        }
    }

    private func shrink(_ source: Span<UInt8>, into target: inout MutableSpan<UInt8>) {
        let width = to.width * Raster.bytesPerPixel
        var row = [UInt32](repeating: 0, count: width)
        var rowIndex = -1
        var sums = [UInt32](repeating: 0, count: width)
        let half: UInt32 = 1 << UInt32(Self.shareBits + Self.rowBits - 1)
        for y in 0..<to.height {
            for index in 0..<width { sums[index] = half }
            for (offset, share) in rows[y].shares.enumerated() {
                // Two windows may share the row at their border.
                if rows[y].start + offset != rowIndex {
                    rowIndex = rows[y].start + offset
                    shrinkRow(source, at: rowIndex * from.width * Raster.bytesPerPixel, into: &row)
                }
                for index in 0..<width { sums[index] &+= row[index] &* share }
            }
            for index in 0..<width {
                target[y * width + index] = UInt8(
                    truncatingIfNeeded: min(255, sums[index] >> UInt32(Self.shareBits + Self.rowBits)))
            }
        }
    }

    private func shrinkRow(_ source: Span<UInt8>, at start: Int, into row: inout [UInt32]) {
        var write = 0
        for window in columns {
            var (red, green, blue): (UInt32, UInt32, UInt32) = (0, 0, 0)
            var read = start + window.start * Raster.bytesPerPixel
            for share in window.shares {
                red &+= UInt32(source[read]) &* share
                green &+= UInt32(source[read + 1]) &* share
                blue &+= UInt32(source[read + 2]) &* share
                read += Raster.bytesPerPixel
            }
            row[write] = red >> UInt32(Self.shareBits - Self.rowBits)
            row[write + 1] = green >> UInt32(Self.shareBits - Self.rowBits)
            row[write + 2] = blue >> UInt32(Self.shareBits - Self.rowBits)
            write += Raster.bytesPerPixel
        }
    }
}
