/// A picture format that the gateway reads. It is detected from a file's first bytes only.
public enum PictureFormat: String, Sendable, CaseIterable {
    case jpeg = "JPEG"
    case png = "PNG"
    case webp = "WebP"

    /// The file name extension of this format, including the dot.
    public var suffix: String {
        switch self {
        case .jpeg: ".jpg"
        case .png: ".png"
        case .webp: ".webp"
        }
    }

    /// The media type, for `Content-Type`.
    public var mediaType: String {
        switch self {
        case .jpeg: "image/jpeg"
        case .png: "image/png"
        case .webp: "image/webp"
        }
    }

    /// The format with the file name's extension; nil if no format has it.
    public init?(fileName: some StringProtocol) {
        guard let format = Self.allCases.first(where: { fileName.hasSuffix($0.suffix) }) else { return nil }
        self = format
    }
}
