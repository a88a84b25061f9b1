internal import Base
internal import CPNG

/// Decodes PNG with libpng, including 16-bit, palette and interlaced files. Transparency is blended onto white.
enum PNGDecoder {
    /// - Parameter time: how much CPU time this thread may spend on it.
    static func decode(_ file: ByteSlice, _ size: PictureSize, within time: Duration) throws(PictureDefect) -> Raster {
        var stream = PNGStream(file, time: time)
        do throws(PictureDefect) {
            let raster = try unsafe PNGStream.withFile(&stream) { (file) throws(PictureDefect) in
                try unsafe decode(file, size)
            }
            guard let raster else { throw .data(.png) }
            return raster
        } catch {
            throw stream.isOverdue ? .slow(.png) : error
        }
    }

    private static func decode(
        _ file: UnsafeMutablePointer<FILE>, _ size: PictureSize
    ) throws(PictureDefect) -> Raster {
        var image = unsafe png_image()
        unsafe image.version = png_uint_32(PNG_IMAGE_VERSION)
        // The library reads from the file lent, and `png_image_free` frees what it holds in `image`.
        defer { unsafe png_image_free(&image) }
        guard unsafe png_image_begin_read_from_stdio(&image, file) != 0,
            unsafe Int(image.width) == size.width, unsafe Int(image.height) == size.height
        else { throw .header(.png) }
        unsafe image.format = png_uint_32(PNG_FORMAT_RGB)
        // Without this, 16-bit samples of no named color space are treated as linear light, and come out pale.
        unsafe image.flags |= png_uint_32(PNG_IMAGE_FLAG_16BIT_sRGB)
        return try unsafe Raster(size) { (space) throws(PictureDefect) in
            var white = png_color(red: 255, green: 255, blue: 255)
            let stride = png_int_32(size.width * Raster.bytesPerPixel)
            // `space` has `height` rows of `stride` bytes.
            guard unsafe png_image_finish_read(&image, &white, space.baseAddress, stride, nil) != 0 else {
                throw .data(.png)
            }
        }.orNoMemory()
    }
}
