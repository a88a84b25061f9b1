/// What surrounds the base64 of a picture within a string: spaces, quotes, and the prefix of a `data:` URL (RFC 2397),
/// each as it is or percent-encoded.
enum PictureWrapping {
    /// The maximum length of a prefix.
    static let maxPrefix = 512

    /// The base64 letters in the string `content`, which may end in spaces.
    static func letters(_ bytes: Span<UInt8>, _ content: Range<Int>) throws(PictureProblem) -> Range<Int> {
        let bare = withoutQuotes(bytes, content)
        if let problem = NonPictureText.problem(bytes, bare) { throw problem }
        let letters = try start(bytes, bare)..<bare.upperBound
        if let problem = NonPictureText.problem(bytes, letters) { throw problem }
        return letters
    }

    /// Where the letters start: after the prefix `data:...;base64,`, if there is one.
    private static func start(_ bytes: Span<UInt8>, _ content: Range<Int>) throws(PictureProblem) -> Int {
        // Whitespace before the prefix is a few bytes at most; the repair drops any other whitespace.
        let window = content.lowerBound..<min(content.upperBound, content.lowerBound + maxPrefix)
        guard let colon = window.first(where: { bytes[$0] == UInt8(ascii: ":") }) else {
            return percentEncodedStart(bytes, window) ?? content.lowerBound
        }
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

    /// The end of a prefix such as `data%3Aimage%2Fpng%3Bbase64%2C`.
    private static func percentEncodedStart(_ bytes: Span<UInt8>, _ window: Range<Int>) -> Int? {
        guard JSONString.position(after: "data%3a", bytes, window) != nil else { return nil }
        for index in window {
            if let end = JSONString.position(after: "base64%2c", bytes, index..<window.upperBound) { return end }
        }
        return nil
    }

    /// `content` without a pair of quotes around it, which a text gets when it is written as JSON twice.
    static func withoutQuotes(_ bytes: Span<UInt8>, _ content: Range<Int>) -> Range<Int> {
        var start = content.lowerBound
        while start < content.upperBound, isBlank(bytes[start]) { start += 1 }
        guard start < content.upperBound else { return content }
        var (scalar, length) = (UInt32(bytes[start]), 1)
        if scalar == 0x5C, let escape = try? JSONText.escape(bytes, at: start, end: content.upperBound) {
            (scalar, length) = (escape.scalar, escape.length)
        }
        guard scalar == 0x22 || scalar == 0x27 else { return content }
        start += length
        var end = content.upperBound
        while end > start, isBlank(bytes[end - 1]) { end -= 1 }
        guard end > start, bytes[end - 1] == UInt8(scalar) else { return content }
        end -= 1
        if end > start, bytes[end - 1] == JSONText.backslash { end -= 1 }
        return start..<end
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }
}
