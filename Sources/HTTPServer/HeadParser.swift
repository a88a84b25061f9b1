internal import Base

/// A strict, incremental parser of HTTP/1.x request heads (RFC 9112 §2 to §5): bytes in, one head or one fault out.
///
/// Each byte is parsed once, however the head is split. Nothing ambiguous is accepted: lines end in CR LF and are not
/// folded, names are tokens directly followed by a colon, and values have no control characters.
struct HeadParser {
    enum Outcome {
        /// More bytes are needed.
        case incomplete
        /// The head is complete, with what it says about the body and the connection.
        case complete(HTTPRequestHead, MessageRules)
        /// The request is refused. The head is given if it was read to its end.
        case refused(HeadFault, HTTPRequestHead?)
    }

    fileprivate enum State: UInt8 {
        case start, startLineFeed, method, target, version
        case fieldStart, name, beforeValue, value, valueLineFeed, endLineFeed
    }

    /// The longest method that is parsed, known or not.
    fileprivate static let longestMethod = 32
    fileprivate static let usualFields = 12
    fileprivate static let usualVersion: StaticString = "HTTP/1.1\r\n"

    fileprivate let limits: HeadLimits
    fileprivate var state = State.start
    fileprivate var bytes: [UInt8] = []
    fileprivate var method = HeadRange()
    fileprivate var target = HeadRange()
    fileprivate var versionStart: UInt32 = 0
    fileprivate var majorIsUnknown = false
    fileprivate var isVersion10 = false
    fileprivate var fields: [HeadRanges.Field] = []
    fileprivate var field = HeadRanges.Field()

    init(limits: HeadLimits) { self.limits = limits }

    /// Whether any part of a head has arrived.
    var hasBegun: Bool { state != .start }

    /// Consumes `input` up to the end of the head.
    /// - Returns: how many bytes were consumed, all of them if the head is incomplete; the rest belongs to the body or
    ///   to the next request. After a head or a fault, the parser must not be used again.
    mutating func parse(_ input: Span<UInt8>) -> (consumed: Int, outcome: Outcome) {
        var index = 0
        do throws(HeadFault) {
            try skipEmptyLine(input, &index)
            let start = index
            let isComplete = try scan(input, &index, headStart: start - bytes.count)
            let part = input.extracting(start..<index)
            unsafe part.withUnsafeBytes { unsafe bytes.append(copying: $0) }
            return (index, isComplete ? finish() : .incomplete)
        } catch {
            return (index, .refused(error, nil))
        }
    }

    /// Skips the one CR LF that may precede a request (RFC 9112 §2.2).
    fileprivate mutating func skipEmptyLine(_ input: Span<UInt8>, _ index: inout Int) throws(HeadFault) {
        if state == .start, index < input.count {
            state = input[index] == .carriageReturn ? .startLineFeed : .method
            if state == .startLineFeed { index += 1 }
        }
        if state == .startLineFeed, index < input.count {
            guard input[index] == .lineFeed else { throw HeadFault("The request begins with a bare CR.") }
            index += 1
            state = .method
        }
    }

    /// Runs the state machine until the input or the head ends. `headStart` is the index in `input` of the head's first
    /// byte, negative if that byte came earlier: an index minus `headStart` is a position in the head.
    fileprivate mutating func scan(
        _ input: Span<UInt8>, _ index: inout Int, headStart: Int
    ) throws(HeadFault) -> Bool {
        let end = min(input.count, headStart + limits.headBytes)
        while index < end {
            let byte = input[index]
            let position = UInt32(index - headStart)
            switch state {
            case .method:
                try take(method: byte, at: position)
                if state == .method { index = skipToken(input, index, to: min(end, headStart + Self.longestMethod)) }
            case .target:
                try take(target: byte, at: position)
                let limit = min(end, headStart + Int(target.start) + limits.targetBytes)
                if state == .target { index = input.endOfPlainTarget(in: index + 1..<limit) - 1 }
            case .version where position == versionStart && hasUsualVersion(input, in: index..<end):
                state = .fieldStart
                index += Self.usualVersion.utf8CodeUnitCount - 1
            case .version: try take(version: byte, at: position)
            case .fieldStart:
                if let next = takeUsualField(input, from: index, to: end, headStart) {
                    index = next
                    continue
                }
                try take(fieldStart: byte, at: position)
                if state == .name { index = skipToken(input, index, to: end) }
            case .name:
                try take(name: byte, at: position)
                if state == .name { index = skipToken(input, index, to: end) }
            case .beforeValue, .value:
                try take(value: byte, at: position)
                if state == .value { index = input.endOfPlainValue(in: index + 1..<end) - 1 }
            case .valueLineFeed: try expectLineFeed(byte, then: .fieldStart)
            case .endLineFeed:
                try expectLineFeed(byte, then: .endLineFeed)
                index += 1
                return true
            case .start, .startLineFeed: break
            }
            index += 1
        }
        if index - headStart >= limits.headBytes { throw tooLarge }
        return false
    }

    /// The index of the last byte of the token that `input[start]` belongs to.
    fileprivate func skipToken(_ input: Span<UInt8>, _ start: Int, to end: Int) -> Int {
        var index = start
        while index + 1 < end, input[index + 1].isToken { index += 1 }
        return index
    }

    /// Takes a field line at once if it is written as usual, with one space before the value and no tab in it.
    /// - Returns: the index after the line; nil if it must be looked at byte by byte.
    fileprivate mutating func takeUsualField(
        _ input: Span<UInt8>, from start: Int, to end: Int, _ headStart: Int
    ) -> Int? {
        guard input[start].isToken, fields.count < limits.fields else { return nil }
        let colon = skipToken(input, start, to: end) + 1
        let valueStart = colon + 2
        guard valueStart < end, input[colon] == .colon, input[colon + 1] == .space, !input[valueStart].isBlank else {
            return nil
        }
        let valueEnd = input.endOfPlainValue(in: valueStart..<end)
        guard valueEnd + 1 < end, input[valueEnd] == .carriageReturn, input[valueEnd + 1] == .lineFeed else {
            return nil
        }
        if fields.isEmpty { fields.reserveCapacity(Self.usualFields) }
        fields.append(
            HeadRanges.Field(
                name: HeadRange(start - headStart..<colon - headStart),
                value: HeadRange(valueStart - headStart..<valueEnd - headStart)))
        return valueEnd + 2
    }

    /// Whether the input in `range` begins with the version that nearly all requests have.
    fileprivate func hasUsualVersion(_ input: Span<UInt8>, in range: Range<Int>) -> Bool {
        input.extracting(range).extracting(first: Self.usualVersion.utf8CodeUnitCount).equals(Self.usualVersion)
    }

    fileprivate var tooLarge: HeadFault {
        switch state {
        case .target: .targetTooLong
        default: HeadFault(431, "The request's header is larger than \(limits.headBytes) bytes.")
        }
    }
}

// MARK: States

extension HeadParser {
    fileprivate mutating func take(method byte: UInt8, at position: UInt32) throws(HeadFault) {
        if byte == .space, position > 0 {
            method = HeadRange(start: 0, end: position)
            target.start = position + 1
            state = .target
        } else if !byte.isToken {
            throw HeadFault("The request line does not begin with a method.")
        } else if position >= Self.longestMethod {
            throw HeadFault(501, "The request's method is not supported.")
        }
    }

    fileprivate mutating func take(target byte: UInt8, at position: UInt32) throws(HeadFault) {
        if byte == .space, position > target.start {
            target.end = position
            versionStart = position + 1
            state = .version
        } else if !byte.isTarget {
            throw HeadFault("The request target is missing or contains an invalid byte.")
        } else if Int(position - target.start) >= limits.targetBytes {
            throw .targetTooLong
        }
    }

    /// `HTTP/` DIGIT `.` DIGIT CR LF, case-sensitive (RFC 9112 §2.3).
    fileprivate mutating func take(version byte: UInt8, at position: UInt32) throws(HeadFault) {
        let isRight =
            switch position - versionStart {
            case 0: byte == UInt8(ascii: "H")
            case 1, 2: byte == UInt8(ascii: "T")
            case 3: byte == UInt8(ascii: "P")
            case 4: byte == .slash
            case 5, 7: byte.isDigit
            case 6: byte == UInt8(ascii: ".")
            case 8: byte == .carriageReturn
            default: byte == .lineFeed
            }
        guard isRight else { throw HeadFault("The request line does not end in a version and CR LF.") }
        switch position - versionStart {
        case 5 where byte != UInt8(ascii: "1"): majorIsUnknown = true
        case 7: isVersion10 = byte == UInt8(ascii: "0")
        case 9 where majorIsUnknown: throw HeadFault(505, "This server speaks HTTP/1.1 and HTTP/1.0.")
        case 9: state = .fieldStart
        default: break
        }
    }

    fileprivate mutating func take(fieldStart byte: UInt8, at position: UInt32) throws(HeadFault) {
        if byte == .carriageReturn {
            state = .endLineFeed
        } else if byte.isBlank {
            throw HeadFault("A header line begins with white space.")
        } else {
            guard fields.count < limits.fields else {
                throw HeadFault(431, "The request has more than \(limits.fields) header fields.")
            }
            if fields.isEmpty { fields.reserveCapacity(Self.usualFields) }
            field.name.start = position
            state = .name
            try take(name: byte, at: position)
        }
    }

    fileprivate mutating func take(name byte: UInt8, at position: UInt32) throws(HeadFault) {
        if byte == .colon, position > field.name.start {
            field.name.end = position
            state = .beforeValue
        } else if !byte.isToken {
            throw HeadFault("A header field's name is not a token followed by a colon.")
        }
    }

    fileprivate mutating func take(value byte: UInt8, at position: UInt32) throws(HeadFault) {
        if byte == .carriageReturn {
            if state == .beforeValue { field.value.start = position }
            field.value.end = position
            fields.append(field)
            state = .valueLineFeed
        } else if !byte.isFieldValue {
            throw HeadFault("A header field's value has a control character.")
        } else if state == .beforeValue, !byte.isBlank {
            field.value.start = position
            state = .value
        }
    }

    fileprivate mutating func expectLineFeed(_ byte: UInt8, then next: State) throws(HeadFault) {
        guard byte == .lineFeed else { throw HeadFault("A line ends in a bare CR.") }
        state = next
    }

    /// Interprets the complete head.
    fileprivate mutating func finish() -> Outcome {
        let method = HTTPMethod(bytes.span.extracting(method.indices))
        let version: HTTPVersion = isVersion10 ? .http10 : .http11
        for index in fields.indices { Self.trim(&fields[index].value, bytes) }
        var ranges = HeadRanges(fields: fields)
        do throws(HeadFault) {
            let rules = try MessageRules(bytes.span, target: target, method: method, version: version, &ranges)
            return .complete(HTTPRequestHead(method: method, version: version, bytes: bytes, ranges: ranges), rules)
        } catch {
            let head = HTTPRequestHead(method: method, version: version, bytes: bytes, ranges: ranges)
            return .refused(error, head)
        }
    }

    /// It is static because a copy of the parser would share the fields, which would then be copied, too.
    fileprivate static func trim(_ value: inout HeadRange, _ bytes: [UInt8]) {
        while !value.isEmpty, bytes[Int(value.end) - 1].isBlank { value.end -= 1 }
    }
}

extension HTTPMethod {
    /// Parses a method; methods are case-sensitive (RFC 9110 §9.1).
    init(_ text: Span<UInt8>) {
        self = Self.known.first { text.equals($0.name) }?.method ?? .unknown
    }

    fileprivate static let known: [(name: StaticString, method: HTTPMethod)] = [
        ("GET", .get), ("POST", .post), ("HEAD", .head), ("PUT", .put), ("DELETE", .delete), ("PATCH", .patch),
        ("QUERY", .query),
        ("OPTIONS", .options), ("TRACE", .trace), ("CONNECT", .connect),
    ]
}
