internal import Base

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
        let found = try Found(headers)
        isPersistent = !found.closes && (!isHTTP10 || found.keepsAlive)
        if status == 204 || status == 304 {
            body = .none
            if status == 204, found.isChunked || (found.length ?? 0) > 0 { isPersistent = false }
        } else if found.isChunked {
            body = .chunked
            if found.length != nil || isHTTP10 { isPersistent = false }
        } else if let length = found.length {
            body = length == 0 ? .none : .length(length)
        } else {
            body = .untilClose
            isPersistent = false
        }
    }

    /// What the fields say.
    private struct Found {
        /// A list of the same number counts once (RFC 9110 §8.6).
        var length: Int?
        var isChunked = false
        var hasOtherCoding = false
        var closes = false
        var keepsAlive = false

        init(_ headers: HTTPClientHeaders) throws(AnswerFault) {
            let bytes = headers.bytes
            let all = bytes.span
            for field in headers.places {
                let name = all.extracting(field.name)
                let value = all.extracting(field.value)
                switch name.count {
                case 10 where name.equalsIgnoringCase("connection"): take(options: value)
                case 14 where name.equalsIgnoringCase("content-length"): try take(lengths: value)
                case 17 where name.equalsIgnoringCase("transfer-encoding"): take(codings: bytes[field.value])
                default: break
                }
            }
            if hasOtherCoding { throw .malformed("a transfer coding that was not asked for") }
        }

        private mutating func take(lengths: Span<UInt8>) throws(AnswerFault) {
            var known = length
            try lengths.forEachListed { (part) throws(AnswerFault) in
                guard let number = number(part), known == nil || known == number else {
                    throw AnswerFault.malformed("Content-Length is not one number")
                }
                known = number
            }
            length = known
        }

        private mutating func take(codings: ArraySlice<UInt8>) {
            // Empty members are left out, but not those of blanks.
            for member in codings.split(separator: UInt8(ascii: ",")) {
                member.span.forEachListed { coding in
                    if coding.equalsIgnoringCase("identity") { return }
                    if isChunked || !coding.equalsIgnoringCase("chunked") { hasOtherCoding = true }
                    isChunked = true
                }
            }
        }

        private mutating func take(options: Span<UInt8>) {
            options.forEachListed { option in
                if option.equalsIgnoringCase("close") { closes = true }
                if option.equalsIgnoringCase("keep-alive") { keepsAlive = true }
            }
        }

        /// Digits only, at most 18 of them, which an `Int` can hold.
        private func number(_ text: Span<UInt8>) -> Int? {
            guard (1...18).contains(text.count) else { return nil }
            var number = 0
            for index in text.indices {
                guard (0x30...0x39).contains(text[index]) else { return nil }
                number = number * 10 + Int(text[index] - 0x30)
            }
            return number
        }
    }
}
