public import Base

/// The limits for pictures that come in, and for pictures that the gateway sends.
public struct PictureLimits: Sendable {
    /// The maximum size of a file to read, in bytes.
    public var maxInputBytes = 16 << 20
    /// The maximum number of pixels to decode, even if that takes little memory.
    public var pixels = 64_000_000
    /// The maximum memory for decoding one file, in bytes, besides the file and the result.
    public var decodingBytes = 96 << 20
    /// The maximum number of scans in a progressive JPEG. Typical files have ten; each scan covers the whole picture.
    public var scans = 100
    /// The maximum size of a color profile, in bytes. A file with a larger one is decoded as if it had none.
    public var profileBytes = 4 << 20
    /// How much CPU time to spend on decoding one PNG, whose data may continue after its last row.
    public var pngTime = Duration.seconds(10)

    /// The maximum size of a file that is sent, in bytes.
    public var maxOutputBytes = 10_485_760
    /// The maximum width and height of a picture that is sent, in pixels.
    public var maxOutputSide = 4096
    /// The minimum width and height of a picture, in pixels.
    public var minSide = 300
    /// Whether ``maxOutputSide`` is a hard limit, and errors give the shortest side as a bound to exceed. If so, a picture
    /// too long and narrow to meet both limits is refused; otherwise, it stays longer than ``maxOutputSide``.
    public var isStrict = false
    /// The formats that can be sent as they are.
    public var formats: Set<PictureFormat> = [.jpeg, .png]

    /// What Kling accepts, and what the machine of a small gateway can handle.
    public init() {}

    /// Kling's rules for pictures in requests to Kolors: at least 300 pixels per side, 10 MiB, JPEG and PNG.
    public static let kolors = PictureLimits()

    /// Kling's rules for pictures that its solutions fetch: more than 300 and at most 2048 pixels per side, 10 MB (read
    /// as the smaller of its two meanings), JPEG, PNG and WebP.
    public static let solutions = {
        var limits = PictureLimits()
        (limits.maxOutputSide, limits.minSide, limits.isStrict) = (2048, 301, true)
        limits.maxOutputBytes = 10_000_000
        limits.formats = [.jpeg, .png, .webp]
        return limits
    }()
}
