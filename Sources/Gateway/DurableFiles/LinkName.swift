internal import Base

/// The unguessable part of a link: 160 random bits from the system's generator, as 32 letters and digits.
enum LinkName {
    static let count = 32
    private static let alphabet = Array("0123456789abcdefghijklmnopqrstuv".utf8)

    /// Creates a new name.
    static func random() -> String {
        var random = SystemRandomNumberGenerator()
        let letters = (0..<count).map { _ in alphabet.randomElement(using: &random) ?? 0 }
        return String(decoding: letters, as: UTF8.self)
    }

    /// What follows the name at the start of `text`; nil if `text` doesn't start with one.
    static func rest(of text: Substring) -> Substring? {
        let letters = text.utf8.prefix(count)
        return letters.count == count && letters.allSatisfy(alphabet.contains) ? text.dropFirst(count) : nil
    }
}

extension PictureFormat {
    /// Whether a link to a picture may end with `text`: a name, and the suffix of a format.
    static func isLinkName(_ text: Substring) -> Bool {
        guard let suffix = LinkName.rest(of: text) else { return false }
        return allCases.contains { suffix == $0.suffix }
    }
}
