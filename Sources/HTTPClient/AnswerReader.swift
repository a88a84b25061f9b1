/// Collects one answer from what libcurl delivers, within its limits. Takes bytes, returns verdicts, does no I/O.
struct AnswerReader {
    /// The limit that the answer exceeded.
    enum Violation: String {
        case headTooLarge = "the head of the answer is over its limit"
        case tooManyInterimAnswers = "too many interim answers"
        case bodyTooLarge = "the body of the answer is over its limit"
    }

    private enum Phase {
        /// In a status line or the fields after it.
        case head(isInterim: Bool)
        /// After the final head: what still looks like a field is a trailer, and is dropped.
        case body
    }

    private var phase = Phase.head(isInterim: false)
    private var headBytes = 0
    private var interimAnswers = 0
    private let maximumHeadBytes: Int
    private let maximumInterimAnswers: Int
    private let maximumBody: Int
    private let keepsBody: Bool

    private(set) var headers = HTTPClientHeaders()
    private(set) var body: [UInt8] = []
    /// How many body bytes were received, kept or not.
    private(set) var bodyCount = 0
    /// The first limit that was exceeded.
    private(set) var violation: Violation?
    /// Whether any line of an answer was received.
    private(set) var hasBegun = false
    /// Whether the final head is complete. libcurl treats a head that is cut short by the peer's close as complete.
    var isHeadComplete: Bool { if case .body = phase { true } else { false } }

    init(_ configuration: HTTPClientConfiguration, maximumBody: Int, keepsBody: Bool = true) {
        maximumHeadBytes = configuration.maximumHeadBytes
        maximumInterimAnswers = configuration.maximumInterimAnswers
        self.maximumBody = maximumBody
        self.keepsBody = keepsBody
    }

    /// Processes a line of a head; `false` ends the transfer.
    mutating func take(line: UnsafeRawBufferPointer) -> Bool {
        hasBegun = true
        headBytes += line.count
        if headBytes > maximumHeadBytes { return refuse(.headTooLarge) }
        switch phase {
        case .head where unsafe line.starts(with: "HTTP/".utf8): return unsafe takeStatusLine(line)
        case .head(let isInterim):
            if line.count > 2 { unsafe headers.append(line: line) } else { phase = isInterim ? phase : .body }
        // A proxy's answer to CONNECT, or a GET that libcurl sends again, is followed by another head.
        case .body where unsafe bodyCount == 0 && line.starts(with: "HTTP/".utf8): return unsafe takeStatusLine(line)
        case .body: break
        }
        return true
    }

    private mutating func takeStatusLine(_ line: UnsafeRawBufferPointer) -> Bool {
        headers.begin()
        let space = unsafe line.firstIndex(of: 0x20) ?? line.count
        let isInterim = unsafe line.count > space + 1 && line[space + 1] == UInt8(ascii: "1")
        phase = .head(isInterim: isInterim)
        if isInterim { interimAnswers += 1 }
        return interimAnswers <= maximumInterimAnswers || refuse(.tooManyInterimAnswers)
    }

    /// Processes a piece of the body; `false` ends the transfer.
    /// - Parameter expected: the total length if it is known, to reserve space once.
    mutating func take(body bytes: UnsafeRawBufferPointer, expected: @autoclosure () -> Int) -> Bool {
        bodyCount += bytes.count
        if bodyCount > maximumBody { return refuse(.bodyTooLarge) }
        guard keepsBody else { return true }
        if body.isEmpty { body.reserveCapacity(min(max(expected(), bytes.count), maximumBody)) }
        unsafe body.append(contentsOf: bytes)
        return true
    }

    private mutating func refuse(_ reason: Violation) -> Bool {
        violation = violation ?? reason
        return false
    }
}
