/// What a connection is doing, and what is to be done when something happens to it. No I/O, no time.
struct ConnectionLifecycle: Hashable, Sendable {
    enum Phase: Hashable, Sendable {
        /// Nothing of a request has arrived.
        case idle
        /// A part of a head has.
        case readingHead
        /// The handler is at work; it may be reading the body.
        case handling
        /// The answer is being written.
        case writing(then: Afterwards)
        /// The answer is written; the rest of a short body is read over, so that the connection can be used again.
        case discarding
        /// Our side is closed; input is discarded until the client has closed too, having read the answer.
        case lingering
        /// The client has ended its side, and its system has not acknowledged the last answer: it may still read it.
        case awaitingReceipt
        case closed
    }

    /// What follows an answer.
    enum Afterwards: Hashable, Sendable { case nextRequest, discardBody, linger, close }

    enum Event: Hashable, Sendable {
        /// The first byte of a head was read.
        case headBegan
        /// The head is complete and sound.
        case headEnded
        /// An answer (also to a faulty head) is there.
        case answered(then: Afterwards)
        /// The answer is written.
        case written
        /// The body was read over to its end.
        case bodyDiscarded
        /// FIN was read.
        case inputEnded
        /// FIN was read, and an answer before it is not acknowledged.
        case inputEndedBeforeReceipt
        /// All answers are acknowledged.
        case receiptCame
        /// The connection was reset or has failed.
        case failed
        /// The phase took too long.
        case timedOut
        /// The server stops, and no byte of another request has arrived.
        case stopping
    }

    enum Action: Hashable, Sendable {
        case none
        /// Start the handler.
        case startHandler
        /// Write the answer.
        case write
        /// Look for the next request's head.
        case readHead
        /// Read the rest of the body and forget it.
        case discardBody
        /// Close our side, discard input.
        case linger
        /// Wait for the acknowledgement, but not for long.
        case awaitReceipt
        /// Answer 408.
        case refuseLateHead
        /// Tell whoever reads the body that it will not come in time, or not at all.
        case failBody
        /// Cancel the handler, report the exchange as given up, close.
        case abandon
        /// Close.
        case close
    }

    private(set) var phase = Phase.idle

    /// Whether the answer being written is the last.
    var endsWithAnswer: Bool { phase == .writing(then: .linger) || phase == .writing(then: .close) }

    /// Whether no request is at work, and no answer is being written.
    var isBetweenExchanges: Bool { [.idle, .readingHead, .lingering, .awaitingReceipt].contains(phase) }

    /// Goes on from an event; one that means nothing in the present phase changes nothing.
    mutating func handle(_ event: Event) -> Action {
        switch (phase, event) {
        case (.closed, _): return .none
        case (.idle, .headBegan): return move(to: .readingHead, .none)
        case (.idle, .headEnded), (.readingHead, .headEnded): return move(to: .handling, .startHandler)
        case (.idle, .answered(let then)), (.readingHead, .answered(let then)), (.handling, .answered(let then)):
            return move(to: .writing(then: then), .write)
        case (.readingHead, .timedOut): return .refuseLateHead
        case (.handling, .inputEnded), (.handling, .timedOut): return .failBody
        case (.handling, .failed), (.writing, .failed), (.writing, .timedOut): return move(to: .closed, .abandon)
        case (.writing(.nextRequest), .written), (.discarding, .bodyDiscarded): return move(to: .idle, .readHead)
        case (.writing(.discardBody), .written): return move(to: .discarding, .discardBody)
        case (.writing(.linger), .written): return move(to: .lingering, .linger)
        case (.writing(.close), .written): return move(to: .closed, .close)
        case (.idle, .inputEndedBeforeReceipt), (.lingering, .inputEndedBeforeReceipt):
            return move(to: .awaitingReceipt, .awaitReceipt)
        case (.idle, .stopping): return move(to: .closed, .close)
        case (.idle, .inputEnded), (.readingHead, .inputEnded), (.discarding, .inputEnded), (.lingering, .inputEnded),
            (.idle, .failed), (.readingHead, .failed), (.discarding, .failed), (.lingering, .failed),
            (.idle, .timedOut), (.discarding, .timedOut), (.lingering, .timedOut),
            (.awaitingReceipt, .receiptCame), (.awaitingReceipt, .failed), (.awaitingReceipt, .timedOut):
            return move(to: .closed, .close)
        default: return .none
        }
    }

    /// Ends it from outside, whatever it is doing.
    mutating func close() { phase = .closed }

    private mutating func move(to next: Phase, _ action: Action) -> Action {
        phase = next
        return action
    }
}
