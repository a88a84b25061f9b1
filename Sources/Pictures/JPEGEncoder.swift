internal import Base
internal import CTurboJPEG

/// Encodes JPEG with libjpeg-turbo.
enum JPEGEncoder {
    /// The qualities to try in order until the file is small enough. Anything below them looks bad.
    private static let steps: [(quality: CInt, subsampling: TJSAMP)] = [
        (92, TJSAMP_444), (85, TJSAMP_420), (70, TJSAMP_420), (50, TJSAMP_420),
    ]
    /// The longest side that libjpeg-turbo supports, in pixels.
    private static let maxSide = 65_500

    /// Encodes `raster` to a file of at most `limit` bytes.
    static func encode(_ raster: Raster, atMost limit: Int) throws(PictureDefect) -> Bytes {
        guard raster.size.longSide <= maxSide, let handle = unsafe tjInitCompress() else { throw .encoding }
        defer { unsafe tjDestroy(handle) }
        for step in steps {
            if let file = try unsafe encode(raster, step.quality, step.subsampling, limit, handle) { return file }
        }
        throw .encoding
    }

    private static func encode(
        _ raster: Raster, _ quality: CInt, _ subsampling: TJSAMP, _ limit: Int, _ handle: tjhandle
    ) throws(PictureDefect) -> Bytes? {
        let (width, height) = (CInt(raster.size.width), CInt(raster.size.height))
        let most = Int(tjBufSize(width, height, CInt(subsampling.rawValue)))
        // A large block is a mapping: only the pages that the file uses take memory.
        let space = try Bytes(reserving: most).orNoMemory()
        let isMade = unsafe space.append { (target) -> Int in
            var start = unsafe target.bindMemory(to: UInt8.self).baseAddress
            var count = CUnsignedLong(most)
            // The library reads `height` rows of `width` pixels, and writes no more than `tjBufSize` bytes.
            let status = unsafe raster.pixels.withUnsafeBytes { pixels in
                unsafe tjCompress2(
                    handle, pixels.bindMemory(to: UInt8.self).baseAddress, width, 0, height, CInt(TJPF_RGB.rawValue),
                    &start, &count, CInt(subsampling.rawValue), quality, TJFLAG_NOREALLOC | TJFLAG_ACCURATEDCT)
            }
            return status == 0 ? Int(count) : 0
        }
        guard isMade > 0 else { throw .encoding }
        return isMade <= limit ? try space.trimmed() : nil
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
