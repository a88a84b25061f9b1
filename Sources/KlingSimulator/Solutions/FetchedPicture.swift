internal import Base
internal import KlingAPI

/// The result of fetching a picture's URL.
enum FetchedPicture: Sendable {
    /// A complete answer.
    case answer(status: Int, body: [UInt8])
    /// More bytes than a picture may have.
    case tooLong
    /// No answer, with the reason.
    case nothing(String)

    /// Why a picture is refused.
    struct Problem: Error, Hashable {
        /// The message that follows the path of the URL, as in `contents[0].url`.
        let message: String

        static let format = Problem(message: "is not a supported picture, only jpg, jpeg, png and webp are")
        static let length = Problem(message: "has more bytes than the limit of 10MB")
    }

    /// The maximum length of the longer side, in pixels.
    static let longestSide = 2048

    /// Checks the picture against the limits of the newer API: JPEG, PNG or WebP, up to 10 MB, the shorter side above
    /// 300 pixels, the longer side up to 2048.
    func check() throws(Problem) {
        let file: [UInt8]
        switch self {
        case .answer(200, let body): file = body
        case .answer(let status, _): throw Problem(message: "cannot be fetched: HTTP \(status)")
        case .tooLong: throw .length
        case .nothing(let reason): throw Problem(message: "cannot be fetched: \(reason)")
        }
        guard file.count <= TryOn.maxPictureBytes else { throw .length }
        let (width, height) = try Self.size(file)
        guard max(width, height) <= Self.longestSide else {
            throw Problem(message: "is \(width) x \(height) pixels, its longest side must not exceed 2048px")
        }
        guard min(width, height) > TryOn.minPictureSide else {
            throw Problem(message: "is \(width) x \(height) pixels, its shortest side must exceed 300px")
        }
    }

    private static func size(_ file: [UInt8]) throws(Problem) -> (width: Int, height: Int) {
        do {
            let header = try ImageHeader.check(file: ByteSlice(Bytes(file), 0..<file.count))
            return (header.width, header.height)
        } catch .size(let width, let height) {
            return (width, height)
        } catch {
            throw .format
        }
    }
}
