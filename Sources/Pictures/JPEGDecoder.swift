internal import Base
internal import CTurboJPEG

/// Decodes JPEG with libjpeg-turbo.
struct JPEGDecoder {
    private let header: PictureHeader

    init(_ header: PictureHeader) { self.header = header }

    /// Decodes `file` at the smallest of the library's scales that is no smaller than `wanted`.
    func decode(_ file: ByteSlice, atLeast wanted: PictureSize) throws(PictureDefect) -> Raster {
        guard let handle = unsafe tjInitDecompress() else { throw .data(.jpeg) }
        defer { unsafe tjDestroy(handle) }
        let size = scaled(atLeast: wanted)
        return try unsafe file.withUnsafeBytes { (raw) throws(PictureDefect) -> Raster in
            let bytes = unsafe raw.assumingMemoryBound(to: UInt8.self)
            try unsafe check(bytes, handle)
            guard let print = header.print else { return try unsafe colors(bytes, size, handle) }
            return try unsafe printColors(bytes, size, print, handle)
        }
    }

    /// Checks that the library finds the same header, because the cost of decoding was estimated from ours.
    private func check(_ file: UnsafeBufferPointer<UInt8>, _ handle: tjhandle) throws(PictureDefect) {
        var (width, height, subsampling, colorspace) = (CInt(0), CInt(0), CInt(0), CInt(0))
        // The library writes only to the four numbers and reads no more than the bytes lent.
        let status = unsafe tjDecompressHeader3(
            handle, file.baseAddress, CUnsignedLong(file.count), &width, &height, &subsampling, &colorspace)
        let isPrint = colorspace == TJCS_CMYK.rawValue || colorspace == TJCS_YCCK.rawValue
        guard status == 0, Int(width) == header.size.width, Int(height) == header.size.height,
            isPrint == (header.print != nil)
        else { throw .header(.jpeg) }
    }

    private func scaled(atLeast wanted: PictureSize) -> PictureSize {
        for eighths in [1, 2, 4] {
            let size = PictureSize(
                width: (header.size.width * eighths + 7) / 8, height: (header.size.height * eighths + 7) / 8)
            if size.width >= wanted.width, size.height >= wanted.height { return size }
        }
        return header.size
    }

    private func colors(
        _ file: UnsafeBufferPointer<UInt8>, _ size: PictureSize, _ handle: tjhandle
    ) throws(PictureDefect) -> Raster {
        try unsafe Raster(size) { (space) throws(PictureDefect) in
            try unsafe decompress(file, size, space, TJPF_RGB, handle)
        }.orNoMemory()
    }

    private func printColors(
        _ file: UnsafeBufferPointer<UInt8>, _ size: PictureSize, _ print: PictureHeader.PrintColors, _ handle: tjhandle
    ) throws(PictureDefect) -> Raster {
        let inks = try Bytes(reserving: size.pixels * 4).orNoMemory()
        try unsafe inks.append { (space) throws(PictureDefect) -> Int in
            try unsafe decompress(file, size, space.bindMemory(to: UInt8.self), TJPF_CMYK, handle)
            return size.pixels * 4
        }
        return try Raster(
            size,
            paint: { target in
                ByteSlice(inks, 0..<inks.count).withBytes { PrintColors.convert($0, print, into: &target) }
            }
        ).orNoMemory()
    }

    /// Decompresses into `space`, which has room for `size` pixels in `format`, without padding.
    private func decompress(
        _ file: UnsafeBufferPointer<UInt8>, _ size: PictureSize, _ space: UnsafeMutableBufferPointer<UInt8>,
        _ format: TJPF, _ handle: tjhandle
    ) throws(PictureDefect) {
        // The library picks the scale that fits the given size, which is one of its own. It writes `height` rows of
        // `width` pixels and no more.
        let status = unsafe tjDecompress2(
            handle, file.baseAddress, CUnsignedLong(file.count), space.baseAddress, CInt(size.width), 0,
            CInt(size.height), CInt(format.rawValue), TJFLAG_LIMITSCANS)
        // A warning is harmless, such as one about bytes between two segments: the picture is still decoded.
        let isFatal = unsafe status != 0 && tjGetErrorCode(handle) != CInt(TJERR_WARNING.rawValue)
        guard !isFatal else { throw .data(.jpeg) }
    }
}

/// Converts CMYK to RGB without a color profile: each ink absorbs its share of the light.
private enum PrintColors {
    static func convert(
        _ inks: Span<UInt8>, _ print: PictureHeader.PrintColors, into target: inout MutableSpan<UInt8>
    ) {
        // An inverted sample is the amount of light that remains.
        let mask: UInt8 = print == .inverted ? 0 : 0xFF
        var (read, write) = (0, 0)
        while read < inks.count {
            let black = UInt32(inks[read + 3] ^ mask)
            for ink in 0..<3 {
                target[write + ink] = UInt8(truncatingIfNeeded: (UInt32(inks[read + ink] ^ mask) * black + 127) / 255)
            }
            (read, write) = (read + 4, write + 3)
        }
    }
}
