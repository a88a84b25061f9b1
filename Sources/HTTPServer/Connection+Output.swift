internal import Base

/// Writing answers.
extension Connection {
    /// If more of an unread body is left than this, it is not discarded to reuse the connection.
    private static let smallRemainder = 64 << 10
    /// The largest rendering buffer that is kept for reuse.
    private static let keptRenderSpace = 64 << 10

    /// Sends the handler's answer, or the server's own refusal.
    func answer(_ response: HTTPResponse, end: HTTPExchange.End) {
        guard lifecycle.phase != .closed, var exchange = self.exchange else { return }
        exchange.task = nil
        exchange.answeredAt = .now
        exchange.status = response.status
        exchange.end = end
        if response.status < 400 { wasServed = true }
        let isLast = response.closes || !exchange.keepsAlive || context.isDraining
        self.exchange = exchange
        if let wire = response.wire { return send(wire) }
        let next = afterwards(isLast: isLast)
        var rendered: [UInt8] = []
        swap(&rendered, &context.renderSpace)
        let slices = render(response, closes: next == .linger || next == .close, into: &rendered)
        output = Output(rendered: rendered, slices: slices)
        happened(.answered(then: next))
    }

    /// The answer to a request that the server itself refuses. It is the last answer on the connection.
    func refusal(_ fault: HeadFault) -> HTTPResponse {
        let handler = exchange?.handler ?? context.service.begin(nil)
        var response = handler.response(
            to: HTTPRejection(status: fault.status, message: fault.message, head: exchange?.head, peer: peer))
        response.status = fault.status
        response.closes = true
        return response
    }

    private func afterwards(isLast: Bool) -> ConnectionLifecycle.NextStep {
        switch body.remainder {
        case .nothing: isLast ? (input.isUnread || exchange?.watcher != nil ? .linger : .close) : .nextRequest
        case .bytes(let count): isLast || count > Self.smallRemainder ? .linger : .discardBody
        case .unknown: .linger
        }
    }

    private func render(_ response: HTTPResponse, closes: Bool, into bytes: inout [UInt8]) -> [ByteSlice] {
        bytes.removeAll(keepingCapacity: true)
        let status = response.status
        let keepsAliveOldClient = !closes && exchange?.head?.version == .http10
        ResponseHead(
            status: status, connection: closes ? .close : keepsAliveOldClient ? .keepAlive : .unsaid,
            contentLength: status == 204 ? nil : response.body.count, fields: response.headers
        ).render(into: &bytes, date: context.dateLine())
        if exchange?.head?.method == .head || status == 204 || status == 304 { return [] }
        switch response.body {
        case .none: return []
        case .bytes(let content):
            bytes.append(contentsOf: content)
            return []
        case .slices(let slices): return slices
        }
    }

    /// Writes as much as the socket has room for.
    func flush() {
        guard var output else { return }
        self.output = nil
        var (count, outcome) = output.write(to: transport)
        exchange?.bytesSent += count
        if case .bytes = outcome, lifecycle.endsWithAnswer, !resetsAtEnd { outcome = transport.sendCloseNotify() }
        switch outcome {
        case .bytes, .handshaken, .unfinished:
            giveBack(output)
            setDeadline(nil)
            awaitReceipt()
            finishExchange(exchange?.end ?? .complete)
            happened(.written)
        case .blocked:
            setDeadline(output.deadline(after: count, configuration))
            self.output = output
        case .failed: fail()
        }
    }

    /// Keeps the buffer that an answer was rendered into, for the next answer.
    private func giveBack(_ output: consuming Output) {
        let space = output.takeRendered()
        if space.capacity <= Self.keptRenderSpace { context.renderSpace = space }
    }

    private func send(_ wire: HTTPResponse.Wire) {
        resetsAtEnd = wire.end == .reset
        output = Output(rendered: [], slices: wire.bytes)
        happened(.answered(then: .close))
    }
}
