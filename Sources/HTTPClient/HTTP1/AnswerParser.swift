internal import Base
internal import Glibc

/// Reads one answer piece by piece, with its interim answers, within limits (RFC 9112). Takes bytes, does no I/O.
///
/// Lines may end with LF alone, and folded fields are unfolded, as recipients may do. What is left in doubt is
/// malformed.
struct AnswerParser {
    /// The limits of one answer.
    struct Limits {
        var headBytes: Int
        var interimAnswers: Int
        var bodyBytes: Int
        var keepsBody: Bool
        var fields = 512

        init(_ configuration: HTTPClientConfiguration, bodyBytes: Int, keepsBody: Bool) {
            headBytes = configuration.maximumHeadBytes
            interimAnswers = configuration.maximumInterimAnswers
            (self.bodyBytes, self.keepsBody) = (bodyBytes, keepsBody)
        }
    }

    private enum Phase { case statusLine, fields, body, complete }

    private let limits: Limits
    private var phase = Phase.statusLine
    /// The beginning of a line whose end has not arrived yet.
    private var line: [UInt8] = []
    private var headBytes = 0
    private var interimAnswers = 0
    private var isHTTP10 = false
    private var framing = BodyFraming.none
    private var chunks = ChunkReader()

    /// The status of the answer, or of an interim one before it.
    private(set) var status = 0
    private(set) var headers: HTTPClientHeaders
    private(set) var body: [UInt8] = []
    /// How many body bytes were received, kept or not.
    private(set) var bodyCount = 0
    /// Whether the connection may carry another request after this answer. Known from the final head on.
    private(set) var isPersistent = false

    /// - Parameter headers: fields that nothing needs, whose memory is used again.
    init(_ limits: Limits, over headers: HTTPClientHeaders = .init()) {
        (self.limits, self.headers) = (limits, headers)
    }

    /// How many bytes were received, without the sizes of chunks.
    var received: Int { headBytes + bodyCount }
    /// Whether a byte was received.
    var hasReceived: Bool { headBytes > 0 }
    /// Whether a line was received.
    var hasBegun: Bool { headBytes > line.count }
    /// Whether the final head was received.
    var hasHead: Bool { phase == .body || phase == .complete }
    /// Whether the whole answer was received.
    var isComplete: Bool { phase == .complete }

    /// Takes bytes until they or the answer end.
    /// - Returns: how many bytes were taken.
    mutating func take(_ bytes: UnsafeRawBufferPointer) throws(AnswerFault) -> Int {
        var used = 0
        while used < bytes.count, phase != .complete {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[used...])
            used += try phase == .body ? unsafe takeBody(rest) : unsafe takeLine(rest)
        }
        return used
    }

    /// Processes the end of the connection.
    /// - Parameter isClean: whether nothing can have been cut off.
    /// - Returns: whether the answer is complete.
    mutating func end(isClean: Bool) -> Bool {
        if phase == .body, framing == .untilClose, isClean { phase = .complete }
        return isComplete
    }

    // MARK: Head

    private mutating func takeLine(_ bytes: UnsafeRawBufferPointer) throws(AnswerFault) -> Int {
        let count = unsafe firstIndex(of: 0x0a, in: bytes).map { $0 + 1 }
        headBytes += count ?? bytes.count
        if headBytes > limits.headBytes { throw .head }
        let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[..<(count ?? bytes.count)])
        guard count != nil else {
            unsafe line.append(copying: part)
            if phase == .statusLine, !StatusLine.canBegin(with: line) { throw StatusLine.fault }
            return part.count
        }
        if line.isEmpty {
            unsafe try take(line: part)
        } else {
            unsafe line.append(copying: part)
            let whole = line
            line.removeAll(keepingCapacity: true)
            let result = unsafe whole.withUnsafeBytes { bytes in
                Result { () throws(AnswerFault) in unsafe try take(line: bytes) }
            }
            try result.get()
        }
        return part.count
    }

    private mutating func take(line: UnsafeRawBufferPointer) throws(AnswerFault) {
        let content = unsafe line.count >= 2 && line[line.count - 2] == 0x0d ? line.count - 2 : line.count - 1
        let text = unsafe UnsafeRawBufferPointer(rebasing: line[..<content])
        if unsafe firstIndex(of: 0x0d, in: text) != nil || firstIndex(of: 0, in: text) != nil {
            throw .malformed("a control byte in the head of the answer")
        }
        switch phase {
        case .statusLine: unsafe try take(statusLine: text)
        case .fields where content == 0: try endHead()
        case .fields: unsafe try take(field: text)
        case .body, .complete: break
        }
    }

    private mutating func take(statusLine text: UnsafeRawBufferPointer) throws(AnswerFault) {
        let line = unsafe try StatusLine(text.assumingMemoryBound(to: UInt8.self).span)
        (status, isHTTP10) = (line.status, line.isHTTP10)
        if status == 101 { throw .malformed("a switch of protocols that was not asked for") }
        if status < 200 { interimAnswers += 1 }
        if interimAnswers > limits.interimAnswers { throw .interimAnswers }
        headers.begin()
        phase = .fields
    }

    private mutating func take(field text: UnsafeRawBufferPointer) throws(AnswerFault) {
        if unsafe text[0] == 0x20 || text[0] == 0x09 {
            if unsafe !headers.unfold(line: text) { throw .malformed("a field that begins with a space") }
            return
        }
        let count = headers.count
        unsafe headers.append(line: text)
        if headers.count == count { throw .malformed("a field without a name") }
        if headers.count > limits.fields { throw .fields }
    }

    private mutating func endHead() throws(AnswerFault) {
        if status < 200 {
            phase = .statusLine
            return
        }
        let rules = try AnswerFraming(status: status, isHTTP10: isHTTP10, headers: headers)
        (framing, isPersistent) = (rules.body, rules.isPersistent)
        if case .length(let length) = framing, length > limits.bodyBytes { throw .body }
        phase = framing == .none ? .complete : .body
    }

    // MARK: Body

    private mutating func takeBody(_ bytes: UnsafeRawBufferPointer) throws(AnswerFault) -> Int {
        switch framing {
        case .none: return 0
        case .length(let length):
            let count = min(length - bodyCount, bytes.count)
            unsafe try add(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
            if bodyCount == length { phase = .complete }
            return count
        case .chunked:
            // The reader is taken out, so that its closure can change the rest of this value.
            var reader = chunks
            let count = unsafe try reader.take(bytes) { (data) throws(AnswerFault) in unsafe try add(data) }
            chunks = reader
            if chunks.isComplete { phase = .complete }
            return count
        case .untilClose:
            unsafe try add(bytes)
            return bytes.count
        }
    }

    private mutating func add(_ bytes: UnsafeRawBufferPointer) throws(AnswerFault) {
        bodyCount += bytes.count
        if bodyCount > limits.bodyBytes { throw .body }
        guard limits.keepsBody else { return }
        if body.isEmpty, case .length(let length) = framing { body.reserveCapacity(length) }
        unsafe body.append(copying: bytes)
    }
}

/// The first index of `byte`; nil if there is none.
func firstIndex(of byte: Int32, in bytes: UnsafeRawBufferPointer) -> Int? {
    guard let start = bytes.baseAddress, bytes.count > 0 else { return nil }
    // `memchr` only reads within the buffer, and returns a pointer into it.
    return unsafe memchr(start, byte, bytes.count).map { unsafe UnsafeRawPointer($0) - start }
}
