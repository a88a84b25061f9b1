public import Base

/// What a picture may be when it comes in, and what it must be when it goes out.
public struct PictureLimits: Sendable {
    /// The most bytes of a file that is looked at.
    public var fileBytes = 16 << 20
    /// The most pixels of a file that is decoded, however little memory that takes.
    public var pixels = 64_000_000
    /// The most bytes that decoding one file may hold beside the file and its result.
    public var decodingBytes = 96 << 20
    /// The most scans of a progressive JPEG. Usual ones have ten; each goes over all of the picture.
    public var scans = 100
    /// How long a thread may work on decoding one PNG, whose data may go on behind its last row.
    public var pngTime = Duration.seconds(10)

    /// The most bytes of a file that is made.
    public var madeBytes = 10_485_760
    /// The longest side of a picture that is made, in pixels.
    public var madeSide = 4096
    /// The least width and height of a picture, in pixels.
    public var leastSide = 300
    /// Whether the longest side is a rule and not a wish, and the shortest is told as what it must exceed. A picture so
    /// long that no shrinking fits both is refused then; else it stays longer than ``madeSide``.
    public var isStrict = false
    /// The formats that are sent as they are.
    public var formats: Set<PictureFormat> = [.jpeg, .png]

    /// What Kling takes, and what a machine of a small gateway can bear.
    public init() {}

    /// Kling's rules for pictures in requests to Kolors: at least 300 pixels a side, 10 MiB, JPEG and PNG.
    public static let kolors = PictureLimits()

    /// Kling's rules for pictures that its solutions fetch: more than 300 pixels and at most 2048 a side, 10 MB (taken
    /// for the smaller of its two meanings), JPEG, PNG and WebP.
    public static let solutions = {
        var limits = PictureLimits()
        (limits.madeSide, limits.leastSide, limits.isStrict) = (2048, 301, true)
        limits.madeBytes = 10_000_000
        limits.formats = [.jpeg, .png, .webp]
        return limits
    }()
}
