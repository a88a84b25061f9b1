public import Base

/// A file that a block holds as base64 text, already checked and repaired.
public struct Base64File: Sendable {
    private let block: Bytes
    private let file: PictureFile

    /// Why a text is not base64. The description is appended to the name of the field.
    public struct Problem: Error, Sendable, Hashable, CustomStringConvertible {
        public let description: String

        /// Nothing is wrong with the text, but there is not enough memory to read it.
        public static let noMemory = Problem(description: "cannot be read: there is no memory for it")
    }

    init(_ text: PictureText) {
        block = text.block
        file = text.file
    }

    /// Reads base64 in any form that a create accepts: with a `data:...;base64,` prefix, with whitespace, URL-safe
    /// letters or JSON escapes, or without padding. `text` itself stays unchanged; a copy of it is repaired.
    public static func read(_ text: ByteSlice) async throws(Problem) -> Base64File {
        // The repair needs room for a quote before the letters.
        guard let block = Bytes(reserving: text.count + 2) else { throw .noMemory }
        let quote: [UInt8] = [JSONText.quote]
        // `append` checks that the bytes fit.
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

    /// The eight bytes from `index` on, as a big-endian number; nil if they are not all in the file. Only they are
    /// decoded.
    public func number(at index: Int) -> UInt64? {
        guard index >= 0, index <= file.count - 8 else { return nil }
        return block.withByteSpan { text in
            (index..<index + 8).reduce(0) { $0 << 8 | UInt64(file.byte($1, text) ?? 0) }
        }
    }

    /// Decodes the file; nil if there is not enough memory. This takes about a millisecond per megabyte.
    public func decoded() -> Bytes? {
        guard let bytes = Bytes(reserving: file.count) else { return nil }
        block.withByteSpan { text in
            // Only this function owns the block while filling it, and the space it gets is as large as the file.
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
        guard case .base64 = field == .human ? human : cloth else { return nil }
        return (field == .human ? humanText : clothText).map(Base64File.init)
    }
}
