internal import Base
internal import CJPEG

/// Encodes JPEG with libjpeg-turbo.
enum JPEGEncoder {
    /// The qualities to try in order until the file is small enough. Anything below them looks bad.
    private static let steps: [(quality: CInt, halvesColor: Bool)] = [(92, false), (85, true), (70, true), (50, true)]
    /// The longest side that libjpeg-turbo supports, in pixels.
    private static let maxSide = 65_500
    /// The most that one pixel takes in a file, in bytes: noise does not compress.
    private static let maxBytesPerPixel = 6
    /// The most that the rest of a file takes, in bytes.
    private static let overhead = 4096

    /// Encodes `raster` to a file of at most `limit` bytes.
    static func encode(_ raster: Raster, atMost limit: Int) throws(PictureDefect) -> Bytes {
        guard raster.size.longSide <= maxSide else { throw .encoding }
        // A large block is a mapping: only the pages that the file uses take memory.
        let space = try Bytes(reserving: min(limit, raster.size.pixels * maxBytesPerPixel + overhead)).orNoMemory()
        for step in steps {
            let count = unsafe space.append { (target) -> Int in
                unsafe encode(raster, step.quality, step.halvesColor, into: target)
            }
            if count > 0 { return try space.trimmed() }
        }
        throw .encoding
    }

    /// - Returns: the size of the file; 0 if it does not fit into `space`.
    private static func encode(
        _ raster: Raster, _ quality: CInt, _ halvesColor: Bool, into space: UnsafeMutableRawBufferPointer
    ) -> Int {
        let target = unsafe space.bindMemory(to: UInt8.self)
        // The library reads `height` rows of `width` pixels, and writes no more than the size given.
        return unsafe raster.pixels.withUnsafeBytes { pixels in
            unsafe cjpeg_encode(
                pixels.bindMemory(to: UInt8.self).baseAddress, CInt(raster.size.width), CInt(raster.size.height),
                quality, halvesColor, target.baseAddress, target.count)
        }
    }
}

extension Bytes {
    /// A copy without unused capacity.
    fileprivate func trimmed() throws(PictureDefect) -> Bytes {
        let block = try Bytes(reserving: count).orNoMemory()
        // `append` checks that the bytes fit.
        unsafe withUnsafeBytes { unsafe block.append(contentsOf: $0) }
        return block
    }
}
