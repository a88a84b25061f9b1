internal import Base

/// The head of a part (RFC 7578 section 4): its name, and whether it is a file. Other fields are ignored, or only
/// checked.
struct FormPartHead: Sendable {
    let name: String
    let isFile: Bool
    /// Whether its file name is empty.
    let isNamelessFile: Bool
    /// The character set of a text, UTF-8 if none is named; nil for one that is not supported.
    let charset: FormCharset?
    /// Where the content begins.
    let end: Int

    /// The maximum size of a head, in bytes.
    static let mostBytes = 4096
    /// The maximum size of a name, in bytes.
    static let longestName = 256

    /// Parses the head at `start`.
    /// - Parameter ordinal: the number of the part, from 1.
    init(_ body: Bytes, at start: Int, ordinal: Int) throws(FormError) {
        let place = "Part \(ordinal)"
        var (position, fields) = (start, [String: [UInt8]]())
        while let line = try Self.line(body, at: position, of: start, place) {
            position += line.count + 2
            let (name, value) = try Self.field(line, place)
            guard fields.updateValue(value, forKey: name) == nil else {
                throw FormError("\(place) of the form has \(name) more than once.")
            }
        }
        end = position + 2
        guard let value = fields["content-disposition"] else {
            throw FormError("\(place) of the form has no Content-Disposition.")
        }
        guard let disposition = FieldParameters(value), disposition.word == "form-data" else {
            throw FormError("\(place) of the form has a malformed Content-Disposition.")
        }
        name = try Self.name(disposition, place)
        let fileName = disposition["filename*"] ?? disposition["filename"]
        isFile = fileName != nil
        isNamelessFile = fileName?.isEmpty == true
        // A label that cannot be read says nothing about the content.
        let type = fields["content-type"].flatMap { FieldParameters($0) }
        charset = type?["charset"].map { FormCharset(label: String(decoding: $0, as: UTF8.self)) } ?? .utf8
        try checkEncoding(fields, type)
    }

    /// The next line of a head without its CRLF; nil for the empty line that ends the head.
    private static func line(
        _ body: Bytes, at position: Int, of start: Int, _ place: String
    ) throws(FormError) -> [UInt8]? {
        let limit = min(body.count, start + mostBytes)
        guard position < limit, let end = body.firstIndex(of: 0x0D, in: position..<limit) else {
            throw FormError(
                limit < body.count
                    ? "\(place) of the form has a head of more than \(mostBytes) bytes."
                    : "\(place) of the form is cut off within its head.")
        }
        guard body.byte(end + 1) == 0x0A else { throw FormError("\(place) of the form has a line that ends with CR.") }
        if end == position { return nil }
        let line = unsafe body.withUnsafeBytes { unsafe Array($0[position..<end]) }
        guard line.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
            throw FormError("\(place) of the form has a control character in its head.")
        }
        return line
    }

    /// Splits a line into its name, in lower case, and its value. A continuation line has no name and is refused like
    /// any such line.
    private static func field(_ line: [UInt8], _ place: String) throws(FormError) -> (String, [UInt8]) {
        let name = line.prefix { $0.isTokenByte }
        guard !name.isEmpty, name.count < line.count, line[name.count] == UInt8(ascii: ":") else {
            throw FormError("\(place) of the form has a line in its head that is not a header field.")
        }
        return (String(decoding: name, as: UTF8.self).lowercased(), Array(line[(name.count + 1)...]))
    }

    private static func name(_ disposition: FieldParameters, _ place: String) throws(FormError) -> String {
        guard disposition["name*"] == nil else {
            throw FormError("\(place) of the form has an encoded name. Send it as name=\"...\".")
        }
        guard let bytes = disposition["name"], (1...longestName).contains(bytes.count),
            let name = String(validating: bytes, as: UTF8.self)
        else {
            throw FormError("\(place) of the form has no name, or one that is not 1 to \(longestName) bytes of UTF-8.")
        }
        return name
    }

    private func checkEncoding(_ fields: [String: [UInt8]], _ type: FieldParameters?) throws(FormError) {
        if let value = fields["content-transfer-encoding"] {
            let coding = FieldParameters(value)?.word ?? ""
            guard ["binary", "8bit", "7bit"].contains(coding) else {
                throw FormError("\(name) has a Content-Transfer-Encoding. Send its bytes unencoded.", part: name)
            }
        }
        if type?.word.hasPrefix("multipart/") == true {
            throw FormError("\(name) is a list of parts. Send each file as a part of its own.", part: name)
        }
    }
}
