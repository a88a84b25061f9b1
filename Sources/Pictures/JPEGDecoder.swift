internal import Base
internal import CJPEG

/// Decodes JPEG with libjpeg-turbo.
struct JPEGDecoder {
    private let header: PictureHeader
    private let colors: ColorConversion?
    private let limits: PictureLimits

    init(_ header: PictureHeader, _ colors: ColorConversion?, _ limits: PictureLimits) {
        (self.header, self.colors, self.limits) = (header, colors, limits)
    }

    /// Decodes `file` at the smallest of the library's scales that is no smaller than `wanted`.
    func decode(_ file: ByteSlice, atLeast wanted: PictureSize) throws(PictureDefect) -> Raster {
        let (eighths, size) = scale(atLeast: wanted)
        return try unsafe file.withUnsafeBytes { (raw) throws(PictureDefect) -> Raster in
            // The reader is closed before the bytes are released.
            let reader = try unsafe JPEGReader(raw.assumingMemoryBound(to: UInt8.self), limits)
            let found = try reader.header()
            // The cost of decoding was estimated from our own header.
            guard found.size == header.size, (found.components == 4) == header.isCMYK else { throw .header(.jpeg) }
            try reader.start(eighths: eighths, size)
            return try header.isCMYK ? inks(reader, size) : pixels(reader, size)
        }
    }

    private func scale(atLeast wanted: PictureSize) -> (eighths: Int, size: PictureSize) {
        for eighths in [1, 2, 4] {
            let size = PictureSize(
                width: (header.size.width * eighths + 7) / 8, height: (header.size.height * eighths + 7) / 8)
            if size.width >= wanted.width, size.height >= wanted.height { return (eighths, size) }
        }
        return (8, header.size)
    }

    private func pixels(_ reader: borrowing JPEGReader, _ size: PictureSize) throws(PictureDefect) -> Raster {
        try unsafe Raster(size, hasAlpha: false, colors) { (space) throws(PictureDefect) in
            var target = unsafe space.mutableSpan
            try reader.readRows(size.height, rowBytes: size.width * Raster.bytesPerPixel, into: &target)
        }.orNoMemory()
    }

    /// Converts one row after another, so that the inks are never all in memory.
    private func inks(_ reader: borrowing JPEGReader, _ size: PictureSize) throws(PictureDefect) -> Raster {
        var row = [UInt8](repeating: 0, count: size.width * 4)
        return try Raster(
            size,
            paint: { (target) throws(PictureDefect) in
                var write = 0
                for _ in 0..<size.height {
                    var space = row.mutableSpan
                    try reader.readRows(1, rowBytes: size.width * 4, into: &space)
                    if let colors {
                        colors.convert(inks: row.span, into: &target, at: write)
                    } else {
                        Inks.convert(row.span, into: &target, at: write)
                    }
                    write += size.width * Raster.bytesPerPixel
                }
            }
        ).orNoMemory()
    }
}

/// libjpeg's decoder for one file. It owns the library's handle, which nothing else uses.
@safe struct JPEGReader: ~Copyable {
    private let handle: OpaquePointer

    /// How much the library may hold besides the coefficients that the header announces, in bytes.
    private static let workingBytes = 32 << 20

    /// - Parameter file: must outlive the reader.
    init(_ file: UnsafeBufferPointer<UInt8>, _ limits: PictureLimits) throws(PictureDefect) {
        let handle = unsafe cjpeg_open(
            file.baseAddress, file.count, limits.decodingBytes + Self.workingBytes, CInt(limits.scans))
        unsafe self.handle = try unsafe handle.orNoMemory()
    }

    // Every function below passes the handle that `init` opened and only this closes.
    deinit { unsafe cjpeg_close(handle) }

    /// Reads the header. Call it first.
    func header() throws(PictureDefect) -> (size: PictureSize, components: Int) {
        var header = cjpeg_header()
        guard unsafe cjpeg_read_header(handle, &header) else { throw .header(.jpeg) }
        return (PictureSize(width: Int(header.width), height: Int(header.height)), Int(header.components))
    }

    /// Starts to decode, to `eighths` / 8 of the size, which is `size`. Call it second.
    func start(eighths: Int, _ size: PictureSize) throws(PictureDefect) {
        guard unsafe cjpeg_start(handle, CInt(eighths), CInt(size.width), CInt(size.height)) else { throw .data(.jpeg) }
    }

    /// Reads the next `count` rows, of `rowBytes` each, into the start of `target`.
    func readRows(_ count: Int, rowBytes: Int, into target: inout MutableSpan<UInt8>) throws(PictureDefect) {
        let isRead = unsafe target.withUnsafeMutableBufferPointer { space in
            precondition(space.count >= count * rowBytes, "the rows do not fit")
            return unsafe cjpeg_read_rows(handle, space.baseAddress, CInt(count))
        }
        guard isRead else { throw .data(.jpeg) }
    }
}

/// Converts CMYK to RGB without a color profile: each ink absorbs its share of the light.
private enum Inks {
    /// - Parameter inks: as JPEG files store them, each as the amount of light that it lets through. Adobe's marker
    ///   announces this, but every decoder treats files without the marker in the same way.
    static func convert(_ inks: Span<UInt8>, into target: inout MutableSpan<UInt8>, at start: Int) {
        var (read, write) = (0, start)
        while read < inks.count {
            let black = UInt32(inks[read + 3])
            for ink in 0..<3 {
                target[write + ink] = UInt8(truncatingIfNeeded: (UInt32(inks[read + ink]) * black + 127) / 255)
            }
            (read, write) = (read + 4, write + 3)
        }
    }
}
