/// The state machine of a connection: events in, actions out. No I/O, no time.
struct ConnectionLifecycle: Hashable, Sendable {
    enum Phase: Hashable, Sendable {
        /// No byte of a request has arrived.
        case idle
        /// A part of a head has arrived.
        case readingHead
        /// The handler is running; it may be reading the body.
        case handling
        /// The answer is being written.
        case writing(then: NextStep)
        /// The answer is written; the rest of a short body is discarded, so that the connection can be reused.
        case discarding
        /// Our side is closed; input is discarded until the client has read the answer and closed too.
        case lingering
        /// The client has closed its side, but its system has not acknowledged the last answer: it may still read it.
        case awaitingReceipt
        case closed
    }

    /// What follows an answer.
    enum NextStep: Hashable, Sendable { case nextRequest, discardBody, linger, close }

    enum Event: Hashable, Sendable {
        /// The first byte of a head was read.
        case headBegan
        /// The head is complete and valid.
        case headEnded
        /// An answer is ready, perhaps to an invalid head.
        case answered(then: NextStep)
        /// The answer is written.
        case written
        /// The rest of the body was discarded.
        case bodyDiscarded
        /// FIN was read.
        case inputEnded
        /// FIN was read, and an answer before it is not acknowledged yet.
        case inputEndedBeforeReceipt
        /// All answers are acknowledged.
        case receiptCame
        /// The connection was reset or has failed.
        case failed
        /// The phase took too long.
        case timedOut
        /// The server stops or makes room, and no byte of another request has arrived.
        case stopping
    }

    enum Action: Hashable, Sendable {
        case none
        /// Start the handler.
        case startHandler
        /// Write the answer.
        case write
        /// Read the next request's head.
        case readHead
        /// Read the rest of the body and discard it.
        case discardBody
        /// Close our side, discard input.
        case linger
        /// Wait for the acknowledgement, for a short time.
        case awaitReceipt
        /// Answer 408.
        case refuseLateHead
        /// Fail the read of the body: the rest is late, or will not arrive.
        case failBody
        /// Cancel the handler, report the exchange as abandoned, and close.
        case abandon
        /// Close.
        case close
    }

    private(set) var phase = Phase.idle
    /// How many requests have had a valid head.
    private(set) var requests = 0

    /// Whether the answer being written is the last.
    var endsWithAnswer: Bool { phase == .writing(then: .linger) || phase == .writing(then: .close) }

    /// Whether no request is being handled and no answer is being written.
    var isBetweenExchanges: Bool { [.idle, .readingHead, .lingering, .awaitingReceipt].contains(phase) }

    /// Moves to the next phase. Every event is named, so that a new one must be given its meaning.
    mutating func handle(_ event: Event) -> Action {
        switch (phase, event) {
        case (.closed, _): return .none
        case (.idle, .headBegan): return move(to: .readingHead, .none)
        case (.idle, .headEnded), (.readingHead, .headEnded):
            requests += 1
            return move(to: .handling, .startHandler)
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
        // A late timer, an answer to a request that has failed, or input that nothing waits for changes nothing.
        case (_, .headBegan), (_, .headEnded), (_, .answered), (_, .written), (_, .bodyDiscarded), (_, .inputEnded),
            (_, .inputEndedBeforeReceipt), (_, .receiptCame), (_, .failed), (_, .timedOut), (_, .stopping):
            return .none
        }
    }

    /// Closes the connection from outside, in any phase.
    mutating func close() { phase = .closed }

    private mutating func move(to next: Phase, _ action: Action) -> Action {
        phase = next
        return action
    }
}
