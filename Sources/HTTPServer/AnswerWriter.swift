internal import Base
internal import Sockets

/// Writes one answer after another: renders its head, and keeps what the socket has no room for.
struct AnswerWriter {
    enum Progress {
        /// There is no answer to write.
        case nothing
        /// Everything is written.
        case written
        /// Everything that there is of a streamed body is written, and the next part is wanted.
        case wantsPart(HTTPResponse.Body.NextPart)
        /// The socket has no room; the client must have read the rest by the deadline.
        case blocked(deadline: MonotonicTime)
        case failed
    }

    private let context: LoopContext
    private var output: Output?
    /// A streamed body that has not ended.
    private var stream: (next: HTTPResponse.Body.NextPart, isChunked: Bool)?
    private var count = 0
    /// Whether a request was answered with a status below 400.
    private(set) var hasServed = false
    /// Whether the connection ends with RST, as the simulator may want.
    private(set) var resetsAtEnd = false

    /// The largest rendering buffer that is kept for reuse.
    private static let keptRenderSpace = 64 << 10

    init(context: LoopContext) { self.context = context }

    /// Prepares an answer, or the bytes that are sent instead of it.
    /// - Parameters:
    ///   - request: the head of the answered request; nil if it could not be read.
    ///   - closes: whether the connection closes after this answer.
    mutating func begin(_ response: HTTPResponse, to request: HTTPRequestHead?, closes: Bool) {
        if response.status < 400 { hasServed = true }
        if let wire = response.wire {
            resetsAtEnd = wire.end == .reset
            output = Output(rendered: [], slices: wire.bytes)
            return
        }
        var rendered: [UInt8] = []
        swap(&rendered, &context.renderSpace)
        let slices = render(response, to: request, closes: closes, into: &rendered)
        output = Output(rendered: rendered, slices: slices)
    }

    private mutating func render(
        _ response: HTTPResponse, to request: HTTPRequestHead?, closes: Bool, into bytes: inout [UInt8]
    ) -> [ByteSlice] {
        bytes.removeAll(keepingCapacity: true)
        let status = response.status
        let isOld = request?.version == .http10
        let length = status == 204 ? nil : response.body.count
        let hasBody = request?.method != .head && status != 204 && status != 304
        let isChunked = hasBody && length == nil && !isOld
        ResponseHead(
            status: status, connection: closes ? .close : isOld ? .keepAlive : .omitted, contentLength: length,
            isChunked: isChunked, fields: response.headers
        ).render(into: &bytes, date: context.dateLine())
        guard hasBody else { return [] }
        switch response.body {
        case .none: return []
        case .bytes(let content):
            // The pointer is used within the closure that lends it.
            unsafe content.withUnsafeBytes { unsafe bytes.append(copying: $0) }
            return []
        case .slices(let slices): return slices
        case .stream(let next):
            stream = (next, isChunked)
            return []
        }
    }

    /// Adds a part of a streamed body, which is written before the next one is wanted; nil ends the body.
    mutating func add(_ part: [ByteSlice]?) {
        guard let stream else { return }
        let size = part?.reduce(0) { $0 + $1.count } ?? 0
        if part == nil { self.stream = nil }
        // An empty chunk would end the body.
        guard stream.isChunked, part == nil || size > 0 else {
            output = Output(rendered: [], slices: part ?? [])
            return
        }
        let head = Array("\(String(size, radix: 16))\r\n".utf8)
        output = Output(rendered: head, slices: (part ?? []) + [Self.chunkEnd])
    }

    private static let chunkEnd = ByteSlice(copying: "\r\n")

    /// Writes as much of the answer as the socket has room for.
    /// - Parameter isLast: whether the connection ends after this answer; over TLS, the end is then announced.
    mutating func write(to transport: Transport, isLast: Bool) -> Progress {
        guard var output = output.take() else { return .nothing }
        var (written, outcome) = output.write(to: transport)
        count += written
        if case .bytes = outcome, isLast, stream == nil, !resetsAtEnd { outcome = transport.sendCloseNotify() }
        switch outcome {
        case .bytes, .handshaken, .unfinished:
            giveBack(output)
            return stream.map { .wantsPart($0.next) } ?? .written
        case .blocked:
            let deadline = output.deadline(after: written, context.configuration)
            self.output = output
            return .blocked(deadline: deadline)
        case .failed: return .failed
        }
    }

    /// Keeps the buffer that an answer was rendered into, for the next answer.
    private func giveBack(_ output: consuming Output) {
        let space = output.takeRendered()
        if space.capacity <= Self.keptRenderSpace { context.renderSpace = space }
    }

    /// Writes `100 Continue`. Nothing else is being written, so a socket without room for 25 bytes counts as failed.
    /// - Returns: false if it failed.
    mutating func writeContinue(to transport: Transport) -> Bool {
        var output = Output(rendered: Array("HTTP/1.1 100 Continue\r\n\r\n".utf8), slices: [])
        let (written, outcome) = output.write(to: transport)
        count += written
        if case .bytes = outcome { return true }
        return false
    }

    /// Returns how many bytes were written, and counts from 0 again.
    mutating func takeCount() -> Int {
        defer { count = 0 }
        return count
    }

    /// Drops what has not been written yet.
    mutating func clear() { (output, stream) = (nil, nil) }
}
