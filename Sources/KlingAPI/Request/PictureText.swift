internal import Base

/// The text of a picture: its base64 letters, after repair.
struct PictureText: Sendable {
    /// The block that holds the text: the request's body, or another one such as the replacement of what the client
    /// sent.
    let block: Bytes
    /// The value to send: from the opening quote, and including the closing one unless padding is missing.
    let value: Range<Int>
    /// How many `=` to send after the value, followed by a quote; 0 if the value is complete.
    let missingPadding: Int
    /// The file that the letters encode.
    let file: PictureFile

    /// How many bytes to read before yielding to other tasks.
    static let sliceSize = 1 << 20

    /// Reads the string `content` (without quotes), which is neither empty nor a URL, and repairs it in place if
    /// necessary.
    /// - Throws: what is wrong with it; the description is appended to the name of the field.
    static func read(_ body: Bytes, _ content: Range<Int>, hasEscapes: Bool) async throws(PictureProblem) -> PictureText
    {
        let start = try body.withByteSpan { (bytes) throws(PictureProblem) in
            try DataURL.letters(bytes, content)
        }
        let letters = start..<content.upperBound
        if !hasEscapes, let text = await asItIs(body, letters) {
            if start > content.lowerBound { body.setByte(JSONText.quote, at: start - 1) }
            return text
        }
        return try await repaired(body, letters)
    }

    /// The text if it needs no repair, otherwise nil.
    private static func asItIs(_ body: Bytes, _ letters: Range<Int>) async -> PictureText? {
        let padding = body.withByteSpan { bytes in
            (0..<2).prefix { letters.count > $0 && bytes[letters.upperBound - 1 - $0] == UInt8(ascii: "=") }.count
        }
        guard letters.count % 4 == 0, !letters.isEmpty else { return nil }
        let end = letters.upperBound - padding
        var position = letters.lowerBound
        while position < end {
            let slice = position..<min(position + sliceSize, end)
            guard body.withByteSpan({ $0.extracting(slice).isBase64 }) else { return nil }
            position = slice.upperBound
            if position < end { await Task.yield() }
        }
        let file = PictureFile(start: letters.lowerBound, count: letters.count / 4 * 3 - padding, isBase64: true)
        return PictureText(
            block: body, value: letters.lowerBound - 1..<letters.upperBound + 1, missingPadding: 0, file: file)
    }

    /// Rewrites the text in place. Apart from padding, the result is never longer.
    private static func repaired(_ body: Bytes, _ letters: Range<Int>) async throws(PictureProblem) -> PictureText {
        var repair = Base64Repair(letters)
        while !(try repair.run(body, atMost: sliceSize)) { await Task.yield() }
        let count = repair.written
        let padding = (4 - count % 4) % 4
        guard count > 0 else { throw .noLetters }
        guard padding < 3 else { throw .cutOff }
        guard repair.padding <= padding else { throw .padding }
        let end = letters.lowerBound + count
        body.setByte(JSONText.quote, at: letters.lowerBound - 1)
        let file = PictureFile(start: letters.lowerBound, count: count / 4 * 3 + (3 - padding) % 3, isBase64: true)
        let hasRoom = end + padding <= letters.upperBound
        guard hasRoom else {
            return PictureText(block: body, value: letters.lowerBound - 1..<end, missingPadding: padding, file: file)
        }
        for index in 0..<padding { body.setByte(UInt8(ascii: "="), at: end + index) }
        body.setByte(JSONText.quote, at: end + padding)
        return PictureText(
            block: body, value: letters.lowerBound - 1..<end + padding + 1, missingPadding: 0, file: file)
    }
}

/// What is wrong with a picture's text. The description is appended to the name of the field.
enum PictureProblem: Error, Sendable, Hashable, CustomStringConvertible {
    case dataURL, noLetters, cutOff, padding
    case scheme(String)
    case character(String, position: Int)

    var description: String {
        switch self {
        case .dataURL: "is a data: URL that is not base64. Send data:image/jpeg;base64,... or the base64 text alone."
        case .noLetters: "has no picture in it. Send an http(s) URL, or the picture as base64."
        case .cutOff: "is base64 that was cut off: it ends within a group. Send the whole text."
        case .padding: "is base64 with too much padding (=). Encode the picture again."
        case .scheme(let scheme): "is a URL with the scheme '\(scheme)'; allowed are http and https, or base64."
        case .character(let character, let position):
            "is neither an http(s) URL nor base64: found \(character) after \(position) letters of base64."
        }
    }
}

/// The prefix of a `data:` URL (RFC 2397).
private enum DataURL {
    /// The maximum length of a prefix.
    static let maxPrefix = 512

    /// Where the base64 letters start: after whitespace and the prefix `data:...;base64,`, if there is one.
    static func letters(_ bytes: Span<UInt8>, _ content: Range<Int>) throws(PictureProblem) -> Int {
        // Whitespace before the prefix is a few bytes at most; the repair drops any other whitespace.
        let window = content.lowerBound..<min(content.upperBound, content.lowerBound + maxPrefix)
        let colon = window.first { bytes[$0] == UInt8(ascii: ":") }
        guard let colon else { return content.lowerBound }
        let scheme = JSONString.text(bytes, window.lowerBound..<colon).lowercased()
            .drop { $0 == " " || $0.isNewline || $0 == "\t" }
        guard scheme == "data" else {
            let isScheme = (1...12).contains(scheme.count) && scheme.utf8.allSatisfy { (0x61...0x7A).contains($0) }
            if isScheme { throw .scheme(String(scheme)) }
            return content.lowerBound
        }
        guard let comma = window.first(where: { bytes[$0] == UInt8(ascii: ",") }),
            JSONString.text(bytes, colon..<comma).lowercased().hasSuffix(";base64")
        else { throw .dataURL }
        return comma + 1
    }
}

extension Bytes {
    /// Sets the byte at `index`. Only for the owner, before the block is shared.
    func setByte(_ byte: UInt8, at index: Int) {
        // The subscript of a raw buffer checks its bounds in debug builds only.
        precondition(index >= 0 && index < count, "the place is outside of the block")
        unsafe withUnsafeMutableBytes { unsafe $0[index] = byte }
    }
}
