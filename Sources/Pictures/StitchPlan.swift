/// The layout of two garments in their stitched picture.
struct StitchPlan: Sendable, Equatable {
    /// The position and size of a picture.
    struct Place: Sendable, Equatable {
        var x: Int
        var y: Int
        var size: PictureSize
    }

    let canvas: PictureSize
    let upper: Place
    let lower: Place

    /// The minimum width to which the wider garment is shrunk to match the other, in pixels.
    private static let minCommonWidth = 768

    /// - Parameters:
    ///   - upper: the size of the upper picture, upright.
    ///   - lower: the size of the lower picture, upright.
    init(upper: PictureSize, lower: PictureSize, _ limits: PictureLimits) {
        let common = max(min(upper.width, lower.width), Self.minCommonWidth)
        var sizes = [upper, lower].map { $0.width > common ? $0.scaled(by: common, over: $0.width) : $0 }
        let longest = max(sizes[0].height + sizes[1].height, sizes[0].width, sizes[1].width)
        if longest > limits.maxOutputSide {
            sizes = sizes.map { $0.scaled(by: limits.maxOutputSide, over: longest) }
            // Rounding may have made their total height a pixel too large.
            sizes[1].height = min(sizes[1].height, limits.maxOutputSide - sizes[0].height)
        }
        let height = sizes[0].height + sizes[1].height
        canvas = PictureSize(
            width: max(sizes[0].width, sizes[1].width, limits.minSide), height: max(height, limits.minSide))
        let top = (canvas.height - height) / 2
        self.upper = Place(x: (canvas.width - sizes[0].width) / 2, y: top, size: sizes[0])
        self.lower = Place(x: (canvas.width - sizes[1].width) / 2, y: top + sizes[0].height, size: sizes[1])
    }
}
