public import Base

/// Why a file is not made into a picture. The description goes behind the name of the field that it was given in.
public enum PictureDefect: Error, Sendable, Hashable, CustomStringConvertible {
    /// It is something else: its name, if its first bytes tell.
    case format(String?)
    /// It begins like a picture, but its header is broken or cut off.
    case header(PictureFormat)
    /// Its header is right and what follows is not: broken, or cut off.
    case data(PictureFormat)
    /// A kind that is not decoded: 12 bits a sample, lossless or arithmetic JPEG.
    case kind(PictureFormat, String)
    /// It has too many bytes.
    case length(Int, allowed: Int)
    /// It is too small.
    case tooSmall(width: Int, height: Int, allowed: Int)
    /// Its shortest side is too short.
    case tooShort(width: Int, height: Int, moreThan: Int)
    /// With its longest side shrunk as it must be, its shortest would be too short.
    case tooLong(width: Int, height: Int, allowed: Int, moreThan: Int)
    /// It has more pixels than are decoded of its kind.
    case tooLarge(width: Int, height: Int, allowed: Int)
    /// It is a JPEG of too many scans.
    case scans(Int, allowed: Int)
    /// Decoding it takes too long.
    case slow(PictureFormat)
    /// It was decoded, and could not be written within the limits.
    case encoding
    /// There is no memory for its pixels.
    case noMemory

    public var description: String {
        switch self {
        case .format(let name):
            "is \(name ?? "not a picture by its first bytes"); allowed are JPEG, PNG and WebP. Convert the picture."
        case .header(let format):
            "begins like a \(format.rawValue) file, but its header is broken or cut off. Send the whole file."
        case .data(let format):
            "is a \(format.rawValue) file that is broken or cut off. Send the whole file."
        case .kind(let format, let kind):
            "is a \(format.rawValue) file with \(kind), which is not supported. Save it as an ordinary JPEG or PNG."
        case .length(let count, let allowed):
            "has \(count) bytes; at most \(allowed) are allowed. Send a smaller picture."
        case .tooSmall(let width, let height, let allowed):
            "is \(width) x \(height) pixels; at least \(allowed) x \(allowed) are needed. Send a larger picture."
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
            "is a \(format.rawValue) file that takes too long to unpack. Save it anew."
        case .encoding:
            "could not be brought within Kling's limits. Send a smaller picture."
        case .noMemory:
            "could not be worked on: there is no memory for it. Send it again later."
        }
    }
}

/// Why two pictures are not made into one.
public struct StitchDefect: Error, Sendable, Hashable {
    /// Which of the two.
    public enum Part: Sendable, Hashable { case upper, lower }

    /// The one that is wrong.
    public let part: Part
    /// What is wrong with it.
    public let defect: PictureDefect
}

extension Optional {
    /// The value; nil stands for memory that was not to be had.
    func orNoMemory() throws(PictureDefect) -> Wrapped {
        guard let self else { throw .noMemory }
        return self
    }
}
