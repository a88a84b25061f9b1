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
        /// The server has stopped, and gives up what is left.
        case shutDown
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
        /// Cancel the handler, report that the exchange ended like this, and close.
        case abandon(HTTPExchange.End)
        /// Close.
        case close
    }

    private(set) var phase = Phase.idle
    /// How many requests have had a valid head.
    private(set) var requests = 0

    /// Whether a head is awaited or being read.
    var awaitsHead: Bool { phase == .idle || phase == .readingHead }

    /// Whether the answer being written is the last.
    var endsWithAnswer: Bool {
        if case .writing(let next) = phase { next.isEnd } else { false }
    }

    /// Moves to the next phase. Every event is listed, so that the compiler asks what a new one means.
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
        case (.handling, .failed), (.writing, .failed): return move(to: .closed, .abandon(.clientGone))
        case (.writing, .timedOut): return move(to: .closed, .abandon(.writeTimeout))
        case (.handling, .shutDown), (.writing, .shutDown): return move(to: .closed, .abandon(.shutdown))
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
            (.idle, .shutDown), (.readingHead, .shutDown), (.discarding, .shutDown), (.lingering, .shutDown),
            (.awaitingReceipt, .receiptCame), (.awaitingReceipt, .failed), (.awaitingReceipt, .timedOut),
            (.awaitingReceipt, .shutDown):
            return move(to: .closed, .close)
        // A late timer, an answer to a request that has failed, or input that nothing waits for changes nothing.
        case (_, .headBegan), (_, .headEnded), (_, .answered), (_, .written), (_, .bodyDiscarded), (_, .inputEnded),
            (_, .inputEndedBeforeReceipt), (_, .receiptCame), (_, .failed), (_, .timedOut), (_, .stopping):
            return .none
        }
    }

    private mutating func move(to next: Phase, _ action: Action) -> Action {
        phase = next
        return action
    }
}

extension ConnectionLifecycle.NextStep {
    /// If more of an unread body is left than this, it is not discarded to reuse the connection.
    private static let smallRemainder = 64 << 10

    /// Decides what follows an answer.
    /// - Parameters:
    ///   - isLast: whether the connection is not to be reused.
    ///   - remainder: the part of the request's body that has not been read.
    ///   - mustLinger: whether closing at once could keep the client from reading the answer, or leave it unknown
    ///     whether it has.
    init(isLast: Bool, remainder: BodyIntake.Remainder, mustLinger: Bool) {
        self =
            switch remainder {
            case .nothing: isLast ? (mustLinger ? .linger : .close) : .nextRequest
            case .bytes(let count): isLast || count > Self.smallRemainder ? .linger : .discardBody
            case .unknown: .linger
            }
    }

    /// Whether the connection is not reused.
    var isEnd: Bool { self == .linger || self == .close }
}
