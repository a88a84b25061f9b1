internal import Base
internal import KlingAPI

/// Pictures as Kling accepts them: plain base64 of a JPEG or PNG file.
enum StrictPicture {
    /// What is wrong with a picture.
    enum Problem: Error, Hashable {
        case encoding, format, length, size

        /// Kling's message, which follows the field's name.
        var message: String {
            switch self {
            case .encoding: "File is not in a valid base64 format"
            case .format: "Image format is not supported, only jpg, jpeg and png are"
            case .length: "Image size exceeds the limit of 10MB"
            case .size: "Image pixel is invalid, width and height must be at least 300px"
            }
        }
    }

    /// How many base64 characters are decoded to find the header: whole groups, 96 KiB decoded.
    private static let prefix = 128 << 10

    /// Checks the base64 text of a picture.
    static func check(_ letters: ArraySlice<UInt8>) throws(Problem) {
        let padding = letters.suffix(2).count { $0 == UInt8(ascii: "=") }
        guard letters.count % 4 == 0, letters.dropLast(padding).allSatisfy({ isLetter[Int($0)] }) else {
            throw .encoding
        }
        guard letters.count / 4 * 3 - padding <= TryOn.maxPictureBytes else { throw .length }
        do {
            try checkHeader(letters.prefix(prefix))
        } catch .format where letters.count > prefix {
            // A JPEG's frame header may follow a large preview.
            try checkHeader(letters)
        }
    }

    private static func checkHeader(_ letters: ArraySlice<UInt8>) throws(Problem) {
        guard let file = Base64.decode(letters) else { throw .encoding }
        let header: ImageHeader
        do {
            header = try ImageHeader.check(file: ByteSlice(Bytes(file), 0..<file.count))
        } catch .size {
            throw .size
        } catch .length {
            throw .length
        } catch {
            throw .format
        }
        guard header.format != .webp else { throw .format }
    }

    private static let isLetter: [Bool] = {
        var table = [Bool](repeating: false, count: 256)
        for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8 {
            table[Int(letter)] = true
        }
        return table
    }()
}
