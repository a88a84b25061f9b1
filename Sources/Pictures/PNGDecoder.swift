internal import Base
internal import CPNG

/// Decodes PNG with libpng, including 16-bit, palette and interlaced files. Transparency is blended onto white.
struct PNGDecoder {
    private let header: PictureHeader
    private let colors: ColorConversion?

    init(_ header: PictureHeader, _ colors: ColorConversion?) { (self.header, self.colors) = (header, colors) }

    /// - Parameter time: how much CPU time this thread may spend on it.
    func decode(_ file: ByteSlice, within time: Duration) throws(PictureDefect) -> Raster {
        var stream = PNGStream(file, time: time)
        do throws(PictureDefect) {
            let raster = try unsafe PNGStream.withFile(&stream) { (file) throws(PictureDefect) in
                try unsafe decode(file)
            }
            guard let raster else { throw .data(.png) }
            return raster
        } catch {
            throw stream.isOverdue ? .slow(.png) : error
        }
    }

    private func decode(_ file: UnsafeMutablePointer<FILE>) throws(PictureDefect) -> Raster {
        var image = unsafe png_image()
        unsafe image.version = png_uint_32(PNG_IMAGE_VERSION)
        // The library reads from `file`, and `png_image_free` frees what it holds in `image`.
        defer { unsafe png_image_free(&image) }
        guard unsafe png_image_begin_read_from_stdio(&image, file) != 0,
            unsafe Int(image.width) == header.size.width, unsafe Int(image.height) == header.size.height
        else { throw .header(.png) }
        // The stream leaves out what the file says about its colors. Otherwise, the library would convert and blend
        // them in linear light. Without this flag, it would still do so with 16-bit samples.
        unsafe image.flags |= png_uint_32(PNG_IMAGE_FLAG_16BIT_sRGB)
        unsafe image.format = PNG_FORMAT_RGB | (header.hasAlpha ? PNG_FORMAT_FLAG_ALPHA : 0)
        return try unsafe Raster(header.size, hasAlpha: header.hasAlpha, colors) { (space) throws(PictureDefect) in
            // `space` has `height` rows of `stride` bytes.
            let stride = png_int_32(space.count / header.size.height)
            guard unsafe png_image_finish_read(&image, nil, space.baseAddress, stride, nil) != 0 else {
                throw .data(.png)
            }
        }.orNoMemory()
    }
}
