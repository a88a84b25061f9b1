internal import Base
internal import CWebP

/// Decodes WebP with libwebp. Transparency is blended onto white.
enum WebPDecoder {
    /// Decodes `payload`, a picture of `size`, directly to `wanted`, which is no larger.
    static func decode(
        _ payload: ByteSlice, _ size: PictureSize, to wanted: PictureSize
    ) throws(PictureDefect) -> Raster {
        let inks = try Bytes(reserving: wanted.pixels * 4).orNoMemory()
        try unsafe inks.append { (space) throws(PictureDefect) -> Int in
            try unsafe decode(payload, size, wanted, into: space.bindMemory(to: UInt8.self))
            return wanted.pixels * 4
        }
        return try Raster(
            wanted,
            paint: { target in
                ByteSlice(inks, 0..<inks.count).withBytes { overWhite($0, into: &target) }
            }
        ).orNoMemory()
    }

    private static func decode(
        _ payload: ByteSlice, _ size: PictureSize, _ wanted: PictureSize, into space: UnsafeMutableBufferPointer<UInt8>
    ) throws(PictureDefect) {
        var config = unsafe WebPDecoderConfig()
        guard unsafe WebPInitDecoderConfig(&config) != 0 else { throw .data(.webp) }
        if size != wanted {
            unsafe config.options.use_scaling = 1
            unsafe config.options.scaled_width = CInt(wanted.width)
            unsafe config.options.scaled_height = CInt(wanted.height)
        }
        // This mode premultiplies colors by their opacity.
        unsafe config.output.colorspace = MODE_rgbA
        unsafe config.output.is_external_memory = 1
        unsafe config.output.u.RGBA = WebPRGBABuffer(
            rgba: space.baseAddress, stride: CInt(wanted.width * 4), size: wanted.pixels * 4)
        // The library reads no more than the bytes lent, writes no more than the size given, and frees only its own
        // memory.
        let status = unsafe payload.withUnsafeBytes { unsafe WebPDecode($0.baseAddress, $0.count, &config) }
        unsafe WebPFreeDecBuffer(&config.output)
        guard status == VP8_STATUS_OK else { throw .data(.webp) }
    }

    private static func overWhite(_ source: Span<UInt8>, into target: inout MutableSpan<UInt8>) {
        var (read, write) = (0, 0)
        while read < source.count {
            let white = 255 - UInt32(source[read + 3])
            for color in 0..<3 {
                target[write + color] = UInt8(truncatingIfNeeded: min(255, UInt32(source[read + color]) + white))
            }
            (read, write) = (read + 4, write + 3)
        }
    }
}
