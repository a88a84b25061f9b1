internal import Base

/// A decoded picture: rows of red, green and blue samples, one byte each, without padding.
struct Raster: Sendable {
    let size: PictureSize
    let pixels: Bytes

    static let bytesPerPixel = 3

    /// Makes a raster that `fill` must write completely; nil if there is not enough memory.
    init?<Failure: Error>(
        _ size: PictureSize, _ fill: (UnsafeMutableBufferPointer<UInt8>) throws(Failure) -> Void
    ) throws(Failure) {
        try unsafe self.init(size, bytesPerPixel: Self.bytesPerPixel, fill)
    }

    /// Makes a raster of what a decoder writes: converted to sRGB, then blended onto white; nil if there is not enough
    /// memory.
    /// - Parameter fill: must write every byte: red, green, blue and, if `hasAlpha`, the opacity of each pixel.
    init?<Failure: Error>(
        _ size: PictureSize, hasAlpha: Bool, _ colors: ColorConversion?,
        _ fill: (UnsafeMutableBufferPointer<UInt8>) throws(Failure) -> Void
    ) throws(Failure) {
        let bytesPerPixel = hasAlpha ? 4 : Self.bytesPerPixel
        try unsafe self.init(size, bytesPerPixel: bytesPerPixel) { (space) throws(Failure) in
            try unsafe fill(space)
            var samples = unsafe space.mutableSpan
            colors?.apply(to: &samples, bytesPerPixel: bytesPerPixel)
            if hasAlpha { Self.blendOverWhite(&samples) }
        }
    }

    /// - Parameter fill: must write `bytesPerPixel` bytes for each pixel. Only the first three for each are kept.
    private init?<Failure: Error>(
        _ size: PictureSize, bytesPerPixel: Int, _ fill: (UnsafeMutableBufferPointer<UInt8>) throws(Failure) -> Void
    ) throws(Failure) {
        self.size = size
        let count = size.pixels * bytesPerPixel
        guard let pixels = Bytes(reserving: count) else { return nil }
        self.pixels = pixels
        // The space is the whole block. A mapping is already zeroed; any other block is zeroed here.
        try unsafe pixels.append { (space) throws(Failure) -> Int in
            if count < Bytes.mappingThreshold { unsafe space.initializeMemory(as: UInt8.self, repeating: 0) }
            try unsafe fill(UnsafeMutableBufferPointer(rebasing: space.bindMemory(to: UInt8.self)[..<count]))
            return size.pixels * Self.bytesPerPixel
        }
    }

    /// Blends in place: the result takes the first three quarters. Like browsers, it works on the samples themselves,
    /// not on the light that they stand for.
    private static func blendOverWhite(_ samples: inout MutableSpan<UInt8>) {
        var (read, write) = (0, 0)
        while read < samples.count {
            let opacity = UInt32(samples[read + 3])
            let white = 255 * (255 - opacity) + 127
            for color in 0..<3 {
                samples[write + color] = UInt8(
                    truncatingIfNeeded: (UInt32(samples[read + color]) * opacity + white) / 255)
            }
            (read, write) = (read + 4, write + 3)
        }
    }

    /// Makes a black raster and lets `paint` write its pixels; nil if there is not enough memory.
    init?<Failure: Error>(
        _ size: PictureSize, paint: (inout MutableSpan<UInt8>) throws(Failure) -> Void
    ) throws(Failure) {
        // The span is exactly as large as the space.
        try unsafe self.init(size) { (space) throws(Failure) in
            var target = unsafe space.mutableSpan
            try paint(&target)
        }
    }

    /// Calls `body` with the pixels.
    func withPixels<Result, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try ByteSlice(pixels, 0..<pixels.count).withBytes(body)
    }

    /// The picture, turned upright.
    func turned(_ orientation: Orientation) throws(PictureDefect) -> Raster {
        if orientation == .upright { return self }
        return try Raster(
            orientation.swapsSides ? size.turned : size,
            paint: { target in
                withPixels { source in turn(source, into: &target, orientation) }
            }
        ).orNoMemory()
    }

    private func turn(_ source: Span<UInt8>, into target: inout MutableSpan<UInt8>, _ orientation: Orientation) {
        let upright = orientation.swapsSides ? size.turned : size
        var write = 0
        for y in 0..<upright.height {
            for x in 0..<upright.width {
                let place = orientation.source(x: x, y: y, in: size)
                let read = (place.y * size.width + place.x) * Self.bytesPerPixel
                target[write] = source[read]
                target[write + 1] = source[read + 1]
                target[write + 2] = source[read + 2]
                write += Self.bytesPerPixel
            }
        }
    }
}
