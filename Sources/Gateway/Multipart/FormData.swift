internal import Base

/// A `multipart/form-data` body (RFC 7578): ranges of the block that it arrived in, without copies.
///
/// It is parsed strictly: lines end with CRLF, every part has a name, nothing is encoded for transport, no part is a
/// list of parts, and the closing delimiter must be there. What precedes the first delimiter and follows the last is
/// ignored (RFC 2046 section 5.1.1).
struct FormData: Sendable {
    /// One field or file.
    struct Part: Sendable {
        let name: String
        /// Whether it came with a file name, or begins like a picture whatever its head says. What browsers send if no
        /// file was chosen, with an empty file name and no content (HTML, section 4.10.21.4), is an empty text.
        let isFile: Bool
        let content: ByteSlice
        /// The character set of a text.
        let charset: FormCharset

        /// The content as text.
        /// - Throws: if it is not text in its character set.
        func text() throws(FormError) -> String {
            guard let text = charset.text(content) else {
                throw FormError("\(name) is not a text in UTF-8.", part: name)
            }
            return text
        }
    }

    /// The maximum number of parts.
    static let mostParts = 64

    /// In the order in which they were sent. Several may have the same name.
    let parts: [Part]

    /// Parses a form. A large one is searched in slices, between which other tasks of the executor run.
    /// - Parameters:
    ///   - contentType: the header field's value.
    ///   - sliceSize: the size of a slice, in bytes. It does not change the result.
    static func parse(
        _ body: Bytes, contentType: String, sliceSize: Int = FormDelimiter.Search.usualSliceSize
    ) async throws(FormError) -> FormData {
        var search = FormDelimiter.Search(
            try FormDelimiter(contentType: contentType), body, sliceSize: sliceSize)
        guard var found = await search.first() else {
            throw FormError("The form has no part: its boundary does not occur in the body.")
        }
        var parts: [Part] = []
        while !found.isLast {
            guard parts.count < mostParts else { throw FormError("The form has more than \(mostParts) parts.") }
            let head = try FormPartHead(body, at: found.end, ordinal: parts.count + 1)
            guard let next = await search.next(from: head.end) else {
                throw FormError("The form is cut off: no delimiter follows \(head.name).", part: head.name)
            }
            let content = ByteSlice(body, head.end..<next.start)
            let isChosen = !head.isNamelessFile || content.count > 0
            let isFile = head.isFile && isChosen || content.beginsLikeFile
            guard let charset = isFile ? .utf8 : head.charset else {
                throw FormError("\(head.name) is in another character set than UTF-8.", part: head.name)
            }
            parts.append(Part(name: head.name, isFile: isFile, content: content, charset: charset))
            found = next
        }
        return FormData(parts: parts)
    }
}
