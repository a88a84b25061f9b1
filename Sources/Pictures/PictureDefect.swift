public import Base

/// Why a file cannot be used as a picture. The description is appended to the name of the field that held the file.
public enum PictureDefect: Error, Sendable, Hashable, CustomStringConvertible {
    /// It is another kind of file, with its name if the first bytes reveal it.
    case format(String?)
    /// It begins like a picture, but its header is broken or cut off.
    case header(PictureFormat)
    /// Its header is valid, but what follows is broken or cut off.
    case data(PictureFormat)
    /// The end of its picture is missing.
    case cutOff(PictureFormat)
    /// It is a PNG file as Xcode packs them into an app.
    case xcodePNG
    /// It is of an unsupported kind: JPEG with 12 bits per sample, or with lossless or arithmetic coding.
    case kind(PictureFormat, String)
    /// It has too many bytes.
    case length(Int, allowed: Int)
    /// It is too small.
    case tooSmall(width: Int, height: Int, allowed: Int)
    /// Its shortest side is too short.
    case tooShort(width: Int, height: Int, moreThan: Int)
    /// Shrinking its longest side to the limit would make its shortest side too short.
    case tooLong(width: Int, height: Int, allowed: Int, moreThan: Int)
    /// It has more pixels than the limit for its kind.
    case tooLarge(width: Int, height: Int, allowed: Int)
    /// It is a JPEG with too many scans.
    case scans(Int, allowed: Int)
    /// Decoding it takes too long.
    case slow(PictureFormat)
    /// It was decoded, but could not be encoded within the limits.
    case encoding
    /// There is not enough memory for its pixels.
    case noMemory

    public var description: String {
        switch self {
        case .format(let name):
            "is \(name ?? "not a picture by its first bytes"); only JPEG, PNG and WebP are allowed. Convert the picture."
        case .header(let format):
            "begins like a \(format.rawValue) file, but its header is broken or cut off. Send the whole file."
        case .data(let format):
            "is a \(format.rawValue) file that is broken or cut off. Send the whole file."
        case .cutOff(let format):
            "is a \(format.rawValue) file that is cut off: the end of its picture is missing. Send the whole file."
        case .xcodePNG:
            "is a PNG file in Xcode's own form (it begins with CgBI), which only Apple's software reads. Send the original "
                + "file, or set \"Compress PNG Files\" to No in Xcode's build settings."
        case .kind(let format, let kind):
            "is a \(format.rawValue) file with \(kind), which is not supported. Save it as an ordinary JPEG or PNG."
        case .length(let count, let allowed):
            "has \(count) bytes; at most \(allowed) are allowed. Send a smaller picture."
        case .tooSmall(let width, let height, let allowed):
            "is \(width) x \(height) pixels; at least \(allowed) x \(allowed) are required. Send a larger picture."
        case .tooShort(let width, let height, let least):
            "is \(width) x \(height) pixels: the shortest side must be more than \(least) pixels. Send a larger picture."
        case .tooLong(let width, let height, let allowed, let least):
            "is \(width) x \(height) pixels: with the longest side shrunk to \(allowed), which is the most, the shortest "
                + "must still be more than \(least) pixels. Crop the picture."
        case .tooLarge(let width, let height, let allowed):
            "is \(width) x \(height) pixels; at most \(allowed) pixels in all are allowed. Send a smaller picture."
        case .scans(let count, let allowed):
            "is a JPEG file of \(count) scans; at most \(allowed) are allowed. Save it as an ordinary JPEG."
        case .slow(let format):
            "is a \(format.rawValue) file that takes too long to decompress. Save it again."
        case .encoding:
            "could not be brought within Kling's limits. Send a smaller picture."
        case .noMemory:
            "could not be processed: the gateway is out of memory. Send it again later."
        }
    }
}

/// Why two pictures cannot be stitched.
public struct StitchDefect: Error, Sendable, Hashable {
    /// One of the two pictures.
    public enum Part: Sendable, Hashable { case upper, lower }

    /// The picture with the defect.
    public let part: Part
    /// What is wrong with it.
    public let defect: PictureDefect
}

extension Optional {
    /// The value, where nil means that there was not enough memory.
    func orNoMemory() throws(PictureDefect) -> Wrapped {
        guard let self else { throw .noMemory }
        return self
    }
}
