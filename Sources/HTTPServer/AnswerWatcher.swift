internal import EventLoop
internal import Sockets

/// Is told whether an answer reaches the client; see ``HTTPRequest/watchAnswer(_:)``.
///
/// Each watcher gets exactly one of ``answerWasAcknowledged()`` and ``answerWasLost()``, and perhaps
/// ``clientHasFinished()`` before that. All are called on the connection's loop, and must not block.
public protocol AnswerWatcher: Sendable {
    /// The client closed its side (FIN) before the answer was written. It may have left, or it may still read.
    func clientHasFinished()
    /// The client's system has acknowledged the last byte of the answer.
    func answerWasAcknowledged()
    /// The connection broke or closed before that: the client cannot have read the whole answer.
    func answerWasLost()
}

extension HTTPRequest {
    /// Tells `watcher` whether the answer to this request reaches the client. Call it once, in the request's handler,
    /// on the connection's loop. Events that have already happened are reported at once.
    public func watchAnswer(_ watcher: any AnswerWatcher) { body.watchAnswer(watcher) }
}

extension RequestBody {
    func watchAnswer(_ watcher: any AnswerWatcher) {
        guard isBeingHandled else { return watcher.answerWasLost() }
        connection.receipts.watch(watcher)
        if connection.socket.hasEnded { watcher.clientHasFinished() }
    }

    /// Checks now whether the client has closed its side, instead of waiting for the event. The answer's watcher is
    /// told before this returns. Call it on the connection's loop.
    public func checkClientOnLoop() {
        guard isBeingHandled else { return }
        switch connection.socket.transport.end {
        case .none: break
        case .peer: connection.endInput()
        case .connection: connection.happened(.failed)
        }
    }

    /// Does the same as ``checkClientOnLoop()``, from any loop.
    public func lookForClient() async { await connection.loop.run { [self] in checkClientOnLoop() } }

    /// How long ago the connection's last bytes reached this machine, even if they were read later, to about 4 ms; nil
    /// where the system does not report it. Use it on the connection's loop.
    public var inputAge: Duration? {
        connection.loop.assertCurrent()
        return connection.socket.transport.inputAge
    }
}
