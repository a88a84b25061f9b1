internal import Base
internal import EventLoop

/// Tracks written answers until the client's system has acknowledged them.
///
/// TCP's acknowledgements are not reported, so they are polled: when the next request arrives, every
/// ``LoopContext/receiptInterval`` until then, and when the connection ends.
extension Connection {
    /// See ``HTTPRequest/watchAnswer(_:)``.
    func watchAnswer(of exchange: Int, _ watcher: any AnswerWatcher) {
        loop.assertCurrent()
        guard exchange == lifecycle.requests, lifecycle.phase == .handling else { return watcher.answerWasLost() }
        self.exchange?.watcher = watcher
        if input.hasEnded { watcher.clientHasFinished() }
    }

    /// See ``HTTPRequest/lookForClient()``.
    func lookForClient(of exchange: Int) {
        loop.assertCurrent()
        guard exchange == lifecycle.requests, lifecycle.phase == .handling else { return }
        switch transport.end {
        case .none: break
        case .client: endInput()
        case .connection: fail()
        }
    }

    /// See ``RequestBody/inputAge``.
    var inputAge: Duration? {
        loop.assertCurrent()
        return transport.inputAge
    }

    /// Records that the client has closed its side.
    func endInput() {
        guard input.end() else { return }
        exchange?.watcher?.clientHasFinished()
    }

    /// Handles a FIN that was read. Closing before the last answer is acknowledged would leave it unknown whether the
    /// client has read it.
    func finishInput() {
        endInput()
        let isOnItsWay = lifecycle.phase == .idle || lifecycle.phase == .lingering
        happened(isOnItsWay && !lookForReceipts() ? .inputEndedBeforeReceipt : .inputEnded)
    }

    /// Waits for the acknowledgement of the exchange's answer, which was handed to the system.
    func awaitReceipt() {
        guard let watcher = exchange?.watcher.take() else { return }
        unacknowledged.append(watcher)
        context.awaitReceipt(self)
    }

    /// How long a client that has closed its side may take to acknowledge the answer.
    static let receiptPatience = Duration.seconds(2)

    /// Checks whether everything that was written has been acknowledged.
    /// - Returns: whether no acknowledgement is pending.
    @discardableResult
    func lookForReceipts() -> Bool {
        if unacknowledged.isEmpty { return true }
        guard transport.hasDeliveredAll else {
            if lifecycle.phase == .awaitingReceipt, transport.end == .connection { fail() }
            return false
        }
        for watcher in unacknowledged { watcher.answerWasAcknowledged() }
        unacknowledged.removeAll(keepingCapacity: true)
        context.forgetReceipt(self)
        happened(.receiptCame)
        return true
    }

    /// Ends the wait before the connection closes: what is not acknowledged by now never will be.
    func endReceipts() {
        exchange?.watcher.take()?.answerWasLost()
        if lookForReceipts() { return }
        for watcher in unacknowledged { watcher.answerWasLost() }
        unacknowledged = []
        context.forgetReceipt(self)
    }
}
