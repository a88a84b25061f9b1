internal import Base
internal import EventLoop

/// One request and its answer, while they are in progress.
struct Exchange {
    let head: HTTPRequestHead?
    let handler: any HTTPExchangeHandler
    let peer: SocketAddress
    let receivedAt: MonotonicTime
    let bytesReceived: Int
    var keepsAlive = false
    var task: Task<Void, Never>?
    var status: Int?
    var bytesSent = 0
    var answeredAt: MonotonicTime?
    var end = HTTPExchange.End.complete
    /// Is told whether the answer arrives.
    var watcher: (any AnswerWatcher)?

    /// The result of the exchange, for its handler.
    func report(_ end: HTTPExchange.End, bodyBytes: Int) -> HTTPExchange {
        let now = MonotonicTime.now
        return HTTPExchange(
            head: head, peer: peer, status: status ?? (end == .shutdown ? 503 : 499),
            bytesReceived: bytesReceived + bodyBytes, bytesSent: bytesSent, receivedAt: receivedAt,
            answeredAt: answeredAt ?? now, finishedAt: now, end: end)
    }
}
