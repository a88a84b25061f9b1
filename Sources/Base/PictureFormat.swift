/// The formats of pictures that the gateway reads, told by a file's first bytes alone.
public enum PictureFormat: String, Sendable, CaseIterable {
    case jpeg = "JPEG"
    case png = "PNG"
    case webp = "WebP"

    /// How names of files in this format end.
    public var suffix: String {
        switch self {
        case .jpeg: ".jpg"
        case .png: ".png"
        case .webp: ".webp"
        }
    }

    /// What `Content-Type` says of it.
    public var mediaType: String {
        switch self {
        case .jpeg: "image/jpeg"
        case .png: "image/png"
        case .webp: "image/webp"
        }
    }

    /// The format that files with this name have; nil if the end is none of theirs.
    public init?(fileName: some StringProtocol) {
        guard let format = Self.allCases.first(where: { fileName.hasSuffix($0.suffix) }) else { return nil }
        self = format
    }
}
