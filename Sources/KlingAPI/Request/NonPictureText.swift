/// Recognizes texts that clients send where a picture belongs, and that would otherwise be reported as bad base64.
enum NonPictureText {
    /// The longest text that is compared as a whole, in bytes.
    private static let longest = 1024

    /// What the text at `content` is, if it is known; nil for anything else, such as base64.
    static func problem(_ bytes: Span<UInt8>, _ content: Range<Int>) -> PictureProblem? {
        for prefix in ["b'", "b\""] as [StaticString] where JSONString.position(after: prefix, bytes, content) != nil {
            return .other("is the text of a Python bytes object (b'...'). Send base64.b64encode(data).decode().")
        }
        guard content.count <= longest else { return nil }
        return problem(JSONString.text(bytes, content))
    }

    private static func problem(_ text: String) -> PictureProblem? {
        let text = text.drop { $0 == " " }
        let word = text.lowercased()
        if empties.contains(word) {
            return .other("is the text '\(text)': a variable had no value. Send an http(s) URL, or base64.")
        }
        if word.hasPrefix("[object ") {
            return .other("is the text of a JavaScript object. Read the file, and send its bytes as base64.")
        }
        if word.hasPrefix("http%3a") || word.hasPrefix("https%3a") {
            return .other("is a percent-encoded URL. Send the URL itself.")
        }
        // Neither a dot nor a colon occurs in base64.
        let isLink = word.contains("://") || word.hasPrefix("data:")
        guard !isLink, isPath(word) else { return nil }
        return .other(
            "is a file's path, or a link without https://. Send an http(s) URL, or the file's content as base64.")
    }

    private static let empties: Set<String> = ["undefined", "null", "none", "nil", "nan"]
    private static let extensions = [".jpg", ".jpeg", ".png", ".webp", ".gif", ".heic", ".avif", ".bmp"]

    private static func isPath(_ word: String) -> Bool {
        let isRelative = word.hasPrefix("./") || word.hasPrefix("../") || word.hasPrefix("~/")
        let isDrive = word.dropFirst().hasPrefix(":\\") || word.hasPrefix("\\\\")
        return isRelative || isDrive || extensions.contains { word.hasSuffix($0) }
    }
}
