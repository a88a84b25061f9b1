internal import Base
internal import EventLoop

/// One request and its answer, while they are in progress.
struct Exchange {
    let head: HTTPRequestHead?
    let handler: any HTTPExchangeHandler
    let peer: SocketAddress
    let receivedAt: MonotonicTime
    let bytesReceived: Int
    /// Whether the client wants to reuse the connection.
    let keepsAlive: Bool
    var task: PooledTask?
    private var answer: (status: Int, time: MonotonicTime)?
    /// How the exchange ends if the answer can be written.
    private(set) var end = HTTPExchange.End.complete

    init(
        head: HTTPRequestHead?, handler: any HTTPExchangeHandler, peer: SocketAddress, receivedAt: MonotonicTime,
        bytesReceived: Int, keepsAlive: Bool
    ) {
        self.head = head
        self.handler = handler
        self.peer = peer
        self.receivedAt = receivedAt
        self.bytesReceived = bytesReceived
        self.keepsAlive = keepsAlive
    }

    /// The answer to a request that the server itself refuses. It is the last answer on the connection.
    func refusal(_ fault: HeadFault) -> HTTPResponse {
        var response = handler.response(
            to: HTTPRejection(status: fault.status, message: fault.message, head: head, peer: peer))
        response.status = fault.status
        response.closes = true
        return response
    }

    /// Records that the request was answered.
    mutating func answered(_ status: Int, end: HTTPExchange.End) {
        task = nil
        answer = (status, .now)
        self.end = end
    }

    /// The result of the exchange, for its handler.
    func report(_ end: HTTPExchange.End, bodyBytes: Int, bytesSent: Int) -> HTTPExchange {
        let now = MonotonicTime.now
        return HTTPExchange(
            head: head, peer: peer, status: answer?.status ?? (end == .shutdown ? 503 : 499),
            bytesReceived: bytesReceived + bodyBytes, bytesSent: bytesSent, receivedAt: receivedAt,
            answeredAt: answer?.time ?? now, finishedAt: now, end: end)
    }
}
