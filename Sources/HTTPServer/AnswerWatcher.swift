internal import EventLoop

/// Told what becomes of an answer on its way to the client; see ``HTTPRequest/watchAnswer(_:)``.
///
/// Each watcher hears of exactly one of ``answerWasAcknowledged()`` and ``answerWasLost()``, and perhaps of
/// ``clientHasFinished()`` before that. All are called on the connection's loop, and must not block.
public protocol AnswerWatcher: Sendable {
    /// The client has ended its side (FIN) before the answer was written. It may have left; it may also still read.
    func clientHasFinished()
    /// The client's system has acknowledged the last byte of the answer.
    func answerWasAcknowledged()
    /// The connection broke or closed before that: the client cannot have read the whole answer.
    func answerWasLost()
}

extension HTTPRequest {
    /// Has `watcher` told what becomes of the answer to this request. Call it once, in the request's handler, on the
    /// connection's loop. What has happened before is told at once.
    public func watchAnswer(_ watcher: any AnswerWatcher) { body.watchAnswer(watcher) }

}

extension RequestBody {
    /// Looks at once whether the client has ended its side, rather than when its turn comes to be told of. The answer's
    /// watcher is told before this returns. On the connection's loop.
    public func lookForClientHere() { connection.lookForClient(of: exchange) }

    /// How long ago the last bytes of its connection came to this machine, however late they are taken up, to about 4 ms; nil
    /// where the system does not say. On the connection's loop.
    public var inputAge: Duration? { connection.inputAge }

    /// Whether it is the first on its connection.
    public var isFirstOnConnection: Bool { exchange <= 1 }

    /// The same from any loop.
    public func lookForClient() async { await connection.loop.run { [self] in connection.lookForClient(of: exchange) } }
}
