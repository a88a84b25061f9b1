/// Where an answer's body ends (RFC 9112 §6.3).
enum BodyFraming: Hashable {
    case none
    case length(Int)
    case chunked
    /// The body ends with the connection.
    case untilClose
}

/// What a final head says about its body and its connection.
///
/// An answer to a create must be understood if that is safe, so some faults only cost the connection: both
/// `Transfer-Encoding` and `Content-Length` (chunks count), chunks in an HTTP/1.0 answer, a length of a 204. Whatever
/// leaves the length in doubt is malformed: other codings, and lengths that differ or are no numbers.
struct AnswerFraming: Hashable {
    var body: BodyFraming
    /// Whether the connection may carry another request after this answer.
    var isPersistent: Bool

    init(status: Int, isHTTP10: Bool, headers: HTTPClientHeaders) throws(AnswerFault) {
        let length = try Self.contentLength(headers)
        let isChunked = try Self.isChunked(headers)
        let (closes, keepsAlive) = Self.connectionOptions(headers)
        isPersistent = !closes && (!isHTTP10 || keepsAlive)
        if status == 204 || status == 304 {
            body = .none
            if status == 204, isChunked || (length ?? 0) > 0 { isPersistent = false }
        } else if isChunked {
            body = .chunked
            if length != nil || isHTTP10 { isPersistent = false }
        } else if let length {
            body = length == 0 ? .none : .length(length)
        } else {
            body = .untilClose
            isPersistent = false
        }
    }

    /// The length; nil if there is none. A list of the same number counts once (RFC 9110 §8.6).
    private static func contentLength(_ headers: HTTPClientHeaders) throws(AnswerFault) -> Int? {
        var length: Int?
        try headers.forEachValue(of: "Content-Length") { (value) throws(AnswerFault) in
            try forEachPart(of: value) { (part) throws(AnswerFault) in
                guard let number = number(part), length == nil || length == number else {
                    throw AnswerFault.malformed("Content-Length is not one number")
                }
                length = number
            }
        }
        return length
    }

    private static func isChunked(_ headers: HTTPClientHeaders) throws(AnswerFault) -> Bool {
        var isChunked = false
        try headers.forEachValue(of: "Transfer-Encoding") { (value) throws(AnswerFault) in
            for coding in value.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: true) {
                let coding = trimmed(coding)
                if equals(coding, "identity") { continue }
                guard equals(coding, "chunked"), !isChunked else {
                    throw AnswerFault.malformed("a transfer coding that was not asked for")
                }
                isChunked = true
            }
        }
        return isChunked
    }

    private static func connectionOptions(_ headers: HTTPClientHeaders) -> (closes: Bool, keepsAlive: Bool) {
        var options = (closes: false, keepsAlive: false)
        headers.forEachValue(of: "Connection") { value in
            forEachPart(of: value) { option in
                if equals(option, "close") { options.closes = true }
                if equals(option, "keep-alive") { options.keepsAlive = true }
            }
        }
        return options
    }

    /// Digits only, at most 18 of them, which an `Int` can hold.
    private static func number(_ text: ArraySlice<UInt8>) -> Int? {
        guard (1...18).contains(text.count) else { return nil }
        var number = 0
        for byte in text {
            guard (0x30...0x39).contains(byte) else { return nil }
            number = number * 10 + Int(byte - 0x30)
        }
        return number
    }

    /// Calls `body` with each part of a list, without the blanks around it. A part may be empty.
    private static func forEachPart<Failure: Error>(
        of list: ArraySlice<UInt8>, _ body: (ArraySlice<UInt8>) throws(Failure) -> Void
    ) throws(Failure) {
        var rest = list
        while let comma = rest.firstIndex(of: UInt8(ascii: ",")) {
            try body(trimmed(rest[..<comma]))
            rest = rest[(comma + 1)...]
        }
        try body(trimmed(rest))
    }

    private static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var (start, end) = (text.startIndex, text.endIndex)
        while start < end, text[start] == 0x20 || text[start] == 0x09 { start += 1 }
        while start < end, text[end - 1] == 0x20 || text[end - 1] == 0x09 { end -= 1 }
        return text[start..<end]
    }

    /// Whether `text` is `word`, which is in lower case, in any case.
    private static func equals(_ text: ArraySlice<UInt8>, _ word: StaticString) -> Bool {
        guard text.count == word.utf8CodeUnitCount else { return false }
        for index in 0..<text.count {
            let byte = text[text.startIndex + index]
            // The literal's bytes are in the binary, so the pointer is always valid.
            guard unsafe (byte &- 0x41 < 26 ? byte | 0x20 : byte) == word.utf8Start[index] else { return false }
        }
        return true
    }
}
