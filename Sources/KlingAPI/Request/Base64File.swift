public import Base

/// A file that lies in a block as base64 text, which has been read and repaired.
public struct Base64File: Sendable {
    private let block: Bytes
    private let file: PictureFile

    /// Why a text is no base64. The description goes behind the name of the field.
    public struct Problem: Error, Sendable, Hashable, CustomStringConvertible {
        public let description: String

        /// Nothing is wrong with it: there is no memory to read it.
        public static let noMemory = Problem(description: "cannot be read: there is no memory for it")
    }

    init(_ text: PictureText) {
        block = text.block
        file = text.file
    }

    /// Reads base64 as a create's members may have it: with `data:...;base64,` before it, with blanks, URL-safe letters
    /// and JSON's escapes in it, without padding. The text itself is left as it is; a copy of it is repaired.
    public static func read(_ text: ByteSlice) async throws(Problem) -> Base64File {
        // The repair wants room for a quote before the letters.
        guard let block = Bytes(reserving: text.count + 2) else { throw .noMemory }
        let quote: [UInt8] = [JSONText.quote]
        // `append` checks the room.
        unsafe quote.withUnsafeBytes { unsafe block.append(contentsOf: $0) }
        unsafe text.withUnsafeBytes { unsafe block.append(contentsOf: $0) }
        unsafe quote.withUnsafeBytes { unsafe block.append(contentsOf: $0) }
        do {
            return Base64File(try await PictureText.read(block, 1..<text.count + 1, hasEscapes: true))
        } catch {
            throw Problem(description: error.description)
        }
    }

    /// How many bytes the file has.
    public var count: Int { file.count }

    /// The file; nil if there is no memory for it. It takes about a millisecond for each megabyte.
    public func decoded() -> Bytes? {
        guard let bytes = Bytes(reserving: file.count) else { return nil }
        block.withByteSpan { text in
            // The block is filled here, by its only owner; the space lent is as large as the file.
            _ = unsafe bytes.append { space in
                unsafe decode(text, into: space)
                return file.count
            }
        }
        return bytes
    }

    private func decode(_ text: Span<UInt8>, into space: UnsafeMutableRawBufferPointer) {
        var (read, write) = (file.start, 0)
        while write + 3 <= file.count {
            var group: UInt32 = 0
            for offset in 0..<4 { group = group << 6 | UInt32(Base64.value(text[read + offset])) }
            unsafe space[write] = UInt8(truncatingIfNeeded: group >> 16)
            unsafe space[write + 1] = UInt8(truncatingIfNeeded: group >> 8)
            unsafe space[write + 2] = UInt8(truncatingIfNeeded: group)
            (read, write) = (read + 4, write + 3)
        }
        while write < file.count {
            unsafe space[write] = file.byte(write, text) ?? 0
            write += 1
        }
    }
}

extension TryOnRequest {
    /// The format of a picture that is base64; nil for a URL.
    public func fileFormat(_ field: PictureField) -> PictureFormat? {
        switch field == .human ? human : cloth {
        case .url: nil
        case .base64(let header, _): header.format
        }
    }

    /// The size of a picture that is base64, in pixels; nil for a URL.
    public func fileSize(_ field: PictureField) -> (width: Int, height: Int)? {
        switch field == .human ? human : cloth {
        case .url: nil
        case .base64(let header, _): (header.width, header.height)
        }
    }

    /// The file of a picture that is base64; nil for a URL.
    public func base64File(_ field: PictureField) -> Base64File? {
        (field == .human ? humanText : clothText).map(Base64File.init)
    }
}
