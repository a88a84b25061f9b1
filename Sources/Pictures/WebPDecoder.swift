internal import Base
internal import CWebP

/// Decodes WebP with libwebp. Transparency is blended onto white.
struct WebPDecoder {
    private let header: PictureHeader
    private let colors: ColorConversion?

    init(_ header: PictureHeader, _ colors: ColorConversion?) { (self.header, self.colors) = (header, colors) }

    /// Decodes the picture in `file` directly to `wanted`, which is no larger; to its full size if it has transparent
    /// parts, because the library would mix their invisible colors into the pixels beside them.
    func decode(_ file: ByteSlice, to wanted: PictureSize) throws(PictureDefect) -> Raster {
        guard let place = header.framePlace else { return try decode(file, header.size, to: wanted) }
        let canvas = try Canvas(
            header.size,
            [(place, { () throws(PictureDefect) in try self.decode(file, place.size, to: place.size) })])
        return try canvas.orNoMemory().raster
    }

    private func decode(_ file: ByteSlice, _ size: PictureSize, to wanted: PictureSize) throws(PictureDefect) -> Raster
    {
        let payload = file.part(header.payload)
        let target = header.hasAlpha ? size : wanted
        return try unsafe Raster(target, hasAlpha: header.hasAlpha, colors) { (space) throws(PictureDefect) in
            try unsafe decode(payload, size, target, into: space)
        }.orNoMemory()
    }

    private func decode(
        _ payload: ByteSlice, _ size: PictureSize, _ wanted: PictureSize, into space: UnsafeMutableBufferPointer<UInt8>
    ) throws(PictureDefect) {
        var config = unsafe WebPDecoderConfig()
        guard unsafe WebPInitDecoderConfig(&config) != 0 else { throw .data(.webp) }
        if size != wanted {
            unsafe config.options.use_scaling = 1
            unsafe config.options.scaled_width = CInt(wanted.width)
            unsafe config.options.scaled_height = CInt(wanted.height)
        }
        unsafe config.output.colorspace = header.hasAlpha ? MODE_RGBA : MODE_RGB
        unsafe config.output.is_external_memory = 1
        unsafe config.output.u.RGBA = WebPRGBABuffer(
            rgba: space.baseAddress, stride: CInt(space.count / wanted.height), size: space.count)
        // The library reads no more than the bytes it is given, writes no more than the size given, and frees only its
        // own memory.
        let status = unsafe payload.withUnsafeBytes { unsafe WebPDecode($0.baseAddress, $0.count, &config) }
        unsafe WebPFreeDecBuffer(&config.output)
        guard status == VP8_STATUS_OK else { throw .data(.webp) }
    }
}
