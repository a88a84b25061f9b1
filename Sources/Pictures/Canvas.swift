internal import Base

/// A white canvas on which pictures are placed.
struct Canvas {
    let raster: Raster

    /// - Parameter parts: the pictures; each is made just before it is placed, so that only one at a time is in memory.
    /// - Returns: nil if there is not enough memory.
    init?<Failure: Error>(
        _ size: PictureSize, _ parts: [(place: StitchPlan.Place, make: () throws(Failure) -> Raster)]
    ) throws(Failure) {
        let made = try Raster(
            size,
            paint: { (target) throws(Failure) in
                target.update(repeating: 0xFF)
                for part in parts {
                    let picture = try part.make()
                    picture.withPixels { Self.lay($0, part.place, into: &target, width: size.width) }
                }
            })
        guard let made else { return nil }
        raster = made
    }

    private static func lay(
        _ picture: Span<UInt8>, _ place: StitchPlan.Place, into target: inout MutableSpan<UInt8>, width: Int
    ) {
        let rowBytes = place.size.width * Raster.bytesPerPixel
        for row in 0..<place.size.height {
            let start = ((place.y + row) * width + place.x) * Raster.bytesPerPixel
            for index in 0..<rowBytes { target[start + index] = picture[row * rowBytes + index] }
        }
    }
}
