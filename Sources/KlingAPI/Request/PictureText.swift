internal import Base

/// The text of a picture: its base64 letters after repair, or a link in place of the one that the client sent.
struct PictureText: Sendable {
    /// The block that holds the text: the request's body, or another one such as the replacement of what the client
    /// sent.
    let block: Bytes
    /// The value to send: from the opening quote, and including the closing one unless padding is missing.
    let value: Range<Int>
    /// How many `=` to send after the value, followed by a quote; 0 if the value is complete.
    let missingPadding: Int
    /// The file that the letters encode; an empty one for a link.
    let file: PictureFile
    /// The link, if the text is one.
    private(set) var link: String?

    /// How many bytes to read before yielding to other tasks.
    static let sliceSize = 1 << 20

    /// Writes a link.
    init(link: String) {
        let json = JSONString.json(link)
        self.init(
            block: Bytes(json), value: 0..<json.count, missingPadding: 0,
            file: PictureFile(start: 0, count: 0, isBase64: true))
        self.link = link
    }

    private init(block: Bytes, value: Range<Int>, missingPadding: Int, file: PictureFile) {
        (self.block, self.value, self.missingPadding, self.file) = (block, value, missingPadding, file)
    }

    /// The text of a file that is complete, padding included.
    init(block: Bytes, value: Range<Int>, file: PictureFile) {
        self.init(block: block, value: value, missingPadding: 0, file: file)
    }

    /// Reads the string `content` (without quotes), which is neither empty nor a URL, and repairs it in place if
    /// necessary. Base64 of base64 is decoded once.
    /// - Throws: what is wrong with it; the description is appended to the name of the field.
    static func read(
        _ body: Bytes, _ content: Range<Int>, hasEscapes: Bool, lettersEnd: Int = 0
    ) async throws(PictureProblem) -> PictureText {
        let text = try await encoded(body, content, hasEscapes: hasEscapes, lettersEnd: lettersEnd)
        guard body.withByteSpan({ text.file.isBase64Text($0) }) else { return text }
        return try await encoded(body, await text.decodedInPlace(), hasEscapes: true)
    }

    private static func encoded(
        _ body: Bytes, _ content: Range<Int>, hasEscapes: Bool, lettersEnd: Int = 0
    ) async throws(PictureProblem) -> PictureText {
        let letters = try body.withByteSpan { (bytes) throws(PictureProblem) in
            try PictureWrapping.letters(bytes, content)
        }
        if !hasEscapes, let text = await asItIs(body, letters, lettersEnd) {
            if letters.lowerBound > content.lowerBound { body.setByte(JSONText.quote, at: letters.lowerBound - 1) }
            if letters.upperBound < content.upperBound { body.setByte(JSONText.quote, at: letters.upperBound) }
            return text
        }
        return try await repaired(body, letters)
    }

    /// Replaces the letters with the bytes that they encode, and returns the range of these.
    private func decodedInPlace() async -> Range<Int> {
        for index in 0..<file.count {
            // A byte is written before the letters of all later ones.
            block.setByte(block.withByteSpan { file.byte(index, $0) ?? 0 }, at: file.start + index)
            if index % Self.sliceSize == Self.sliceSize - 1 { await Task.yield() }
        }
        return file.start..<file.start + file.count
    }

    /// The text if it needs no repair, otherwise nil.
    private static func asItIs(_ body: Bytes, _ letters: Range<Int>, _ lettersEnd: Int) async -> PictureText? {
        let padding = body.withByteSpan { bytes in
            (0..<2).prefix { letters.count > $0 && bytes[letters.upperBound - 1 - $0] == UInt8(ascii: "=") }.count
        }
        guard letters.count % 4 == 0, !letters.isEmpty else { return nil }
        let end = letters.upperBound - padding
        var position = max(letters.lowerBound, min(lettersEnd, end))
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
        var count = repair.written
        if repair.spaces > 0 {
            let written = letters.lowerBound..<letters.lowerBound + count
            count = try await Base64Spaces.settle(body, written, padding: repair.padding)
        }
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
    case dataURL, noLetters, cutOff, padding, spaces
    case scheme(String)
    /// A text that is known to be something else, with what it is and what to send.
    case other(String)
    case character(String, position: Int)

    var description: String {
        switch self {
        case .dataURL: "is a data: URL that is not base64. Send data:image/jpeg;base64,... or the base64 text alone."
        case .noLetters: "has no picture in it. Send an http(s) URL, or the picture as base64."
        case .cutOff: "is base64 that was cut off: it ends within a group. Send the whole text."
        case .padding: "is base64 with too much padding (=). Encode the picture again."
        case .spaces:
            "is base64 with spaces, some of which may have been + (form decoders turn + into a space). "
                + "Percent-encode the text in a form, or send it without spaces."
        case .other(let problem): problem
        case .scheme(let scheme): "is a URL with the scheme '\(scheme)'. Send an http(s) URL, or base64."
        case .character(let character, let position):
            "is neither an http(s) URL nor base64: found \(character) after \(position) letters of base64."
        }
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
