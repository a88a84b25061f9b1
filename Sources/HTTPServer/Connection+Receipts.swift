internal import Sockets

/// Finds out whether the client gets its answers, up to the end of the connection.
///
/// TCP's acknowledgements are not reported, so they are polled: when the next request arrives, every
/// ``LoopContext/receiptInterval`` until then, and when the connection ends.
extension Connection {
    /// Records that the client has closed its side.
    func endInput() { if socket.end() { receipts.watcher?.clientHasFinished() } }

    /// Handles a FIN that was read. Closing before the last answer is acknowledged would leave it unknown whether the
    /// client has read it.
    func finishInput() {
        endInput()
        let isAwaitingReceipt = lifecycle.phase == .idle || lifecycle.phase == .lingering
        happened(isAwaitingReceipt && !lookForReceipts() ? .inputEndedBeforeReceipt : .inputEnded)
    }

    /// Checks whether everything that was written has been acknowledged.
    /// - Returns: whether no acknowledgement is pending.
    @discardableResult
    func lookForReceipts() -> Bool {
        if receipts.pending.isEmpty { return true }
        guard socket.transport.hasDeliveredAll else {
            if lifecycle.phase == .awaitingReceipt, socket.transport.end == .connection { happened(.failed) }
            return false
        }
        for watcher in receipts.pending { watcher.answerWasAcknowledged() }
        receipts.clear()
        context.forgetReceipt(self)
        happened(.receiptCame)
        return true
    }

    /// Ends the wait before the connection closes: what is not acknowledged by now never will be.
    func endReceipts() {
        receipts.takeWatcher()?.answerWasLost()
        if lookForReceipts() { return }
        for watcher in receipts.pending { watcher.answerWasLost() }
        receipts.clear()
        context.forgetReceipt(self)
    }
}
