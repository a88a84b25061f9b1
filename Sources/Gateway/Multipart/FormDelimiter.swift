internal import Base

/// What separates the parts of a form: two hyphens and the boundary from `Content-Type`, on a line of their own (RFC
/// 2046 section 5.1.1).
struct FormDelimiter: Sendable {
    private let bytes: [UInt8]

    /// Reads the boundary of a `Content-Type`.
    init(contentType: String) throws(FormError) {
        guard let type = FieldParameters(contentType.utf8), type.word == "multipart/form-data" else {
            throw FormError("Content-Type is malformed. Send multipart/form-data with its boundary once.")
        }
        guard let boundary = type["boundary"] else {
            throw FormError("Content-Type has no boundary. Let your HTTP client set the header itself.")
        }
        guard (1...70).contains(boundary.count), boundary.allSatisfy(Self.isBoundaryByte), boundary.last != 0x20 else {
            throw FormError("The boundary in Content-Type has an invalid character or length.")
        }
        bytes = [Self.hyphen, Self.hyphen] + boundary
    }

    private static let hyphen = UInt8(ascii: "-")
    private static let marks = Array("'()+_,-./:=? ".utf8)

    private static func isBoundaryByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: marks.contains(byte)
        }
    }

    /// A delimiter that was found.
    struct Place: Equatable {
        /// Where the content before it ends.
        let start: Int
        /// Where the content after it begins.
        let end: Int
        let isLast: Bool
    }

    /// Where the delimiter's line ends, if the delimiter is at `position`, which begins a line; nil otherwise.
    fileprivate func end(_ body: Bytes, at position: Int) -> (end: Int, isLast: Bool)? {
        body.withSpan { span in
            var position = position
            func byte(_ offset: Int = 0) -> UInt8? {
                position + offset < span.byteCount ? span.byte(position + offset) : nil
            }
            for expected in bytes {
                guard byte() == expected else { return nil }
                position += 1
            }
            let isLast = byte() == Self.hyphen && byte(1) == Self.hyphen
            if isLast { position += 2 }
            while byte() == 0x20 || byte() == 0x09 { position += 1 }
            if byte() == 0x0D, byte(1) == 0x0A { return (position + 2, isLast) }
            return isLast && byte() == nil ? (position, true) : nil
        }
    }

    /// Looks for delimiters in a body.
    struct Search {
        private let delimiter: FormDelimiter
        private let body: Bytes
        private let sliceSize: Int
        /// The position at which other tasks get their next turn.
        private var pause: Int

        static let usualSliceSize = 1 << 20

        init(_ delimiter: FormDelimiter, _ body: Bytes, sliceSize: Int) {
            self.delimiter = delimiter
            self.body = body
            self.sliceSize = sliceSize
            pause = sliceSize
        }

        /// The first delimiter: at the very beginning, or after a preamble.
        mutating func first() async -> Place? {
            if let (end, isLast) = delimiter.end(body, at: 0) { return Place(start: 0, end: end, isLast: isLast) }
            return await next(from: 0)
        }

        /// The next delimiter after a line break at `start` or later.
        mutating func next(from start: Int) async -> Place? {
            var position = start
            while true {
                if position >= pause {
                    await Task.yield()
                    pause = position + sliceSize
                }
                guard position < body.count else { return nil }
                let slice = position..<min(body.count, pause)
                guard let found = body.firstIndex(of: 0x0D, in: slice) else {
                    position = slice.upperBound
                    continue
                }
                if body.byte(found + 1) == 0x0A, let (end, isLast) = delimiter.end(body, at: found + 2) {
                    return Place(start: found, end: end, isLast: isLast)
                }
                position = found + 1
            }
        }
    }
}

extension RawSpan {
    fileprivate func byte(_ offset: Int) -> UInt8 {
        // Every bit pattern is a valid `UInt8`, and the offset is checked.
        unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }
}

extension Bytes {
    /// The byte at `index`; nil past the end.
    func byte(_ index: Int) -> UInt8? {
        index < count ? withSpan { $0.byte(index) } : nil
    }
}
