import Testing

@testable import HTTPServer

struct LifecycleTests {
    typealias Phase = ConnectionLifecycle.Phase
    typealias Event = ConnectionLifecycle.Event
    typealias Action = ConnectionLifecycle.Action
    typealias NextStep = ConnectionLifecycle.NextStep

    private static let steps: [NextStep] = [.nextRequest, .discardBody, .linger, .close]
    private static let events: [Event] =
        [
            .headBegan, .headEnded, .written, .bodyDiscarded, .inputEnded, .inputEndedBeforeReceipt, .receiptCame,
            .failed, .timedOut, .stopping, .shutDown,
        ] + steps.map { .answered(then: $0) }

    /// The events that lead to each phase.
    private static let ways: [(phase: Phase, events: [Event])] =
        [
            (.idle, []), (.readingHead, [.headBegan]), (.handling, [.headEnded]),
            (.discarding, [.headEnded, .answered(then: .discardBody), .written]),
            (.lingering, [.headEnded, .answered(then: .linger), .written]),
            (.awaitingReceipt, [.inputEndedBeforeReceipt]), (.closed, [.failed]),
        ] + steps.map { (.writing(then: $0), [.headEnded, .answered(then: $0)]) }

    /// The transitions that change something: an event, the phases in which it does, the next phase and the action.
    private static let transitions: [(event: Event, from: [Phase], to: Phase, action: Action)] =
        [
            (.headBegan, [.idle], .readingHead, .none),
            (.headEnded, [.idle, .readingHead], .handling, .startHandler),
            (.written, [.writing(then: .nextRequest)], .idle, .readHead),
            (.written, [.writing(then: .discardBody)], .discarding, .discardBody),
            (.written, [.writing(then: .linger)], .lingering, .linger),
            (.written, [.writing(then: .close)], .closed, .close),
            (.bodyDiscarded, [.discarding], .idle, .readHead),
            (.inputEnded, [.handling], .handling, .failBody),
            (.inputEnded, [.idle, .readingHead, .discarding, .lingering], .closed, .close),
            (.inputEndedBeforeReceipt, [.idle, .lingering], .awaitingReceipt, .awaitReceipt),
            (.receiptCame, [.awaitingReceipt], .closed, .close),
            (.failed, [.idle, .readingHead, .discarding, .lingering, .awaitingReceipt], .closed, .close),
            (.failed, [.handling] + writing, .closed, .abandon(.clientGone)),
            (.timedOut, [.readingHead], .readingHead, .refuseLateHead),
            (.timedOut, [.handling], .handling, .failBody),
            (.timedOut, [.idle, .discarding, .lingering, .awaitingReceipt], .closed, .close),
            (.timedOut, writing, .closed, .abandon(.writeTimeout)),
            (.stopping, [.idle], .closed, .close),
            (.shutDown, [.idle, .readingHead, .discarding, .lingering, .awaitingReceipt], .closed, .close),
            (.shutDown, [.handling] + writing, .closed, .abandon(.shutdown)),
        ] + steps.map { (.answered(then: $0), [.idle, .readingHead, .handling], .writing(then: $0), .write) }

    private static let writing = steps.map { Phase.writing(then: $0) }

    @Test(arguments: LifecycleTests.ways) func `in each phase, each event does exactly what the table says`(
        phase: Phase, way: [Event]
    ) {
        for event in Self.events {
            var lifecycle = ConnectionLifecycle()
            for step in way { _ = lifecycle.handle(step) }
            #expect(lifecycle.phase == phase)
            let expected = Self.transitions.first { $0.event == event && $0.from.contains(phase) }
            #expect(lifecycle.handle(event) == expected?.action ?? .none, "\(event)")
            #expect(lifecycle.phase == expected?.to ?? phase, "\(event)")
        }
    }

    @Test func `requests are counted when their heads are complete`() {
        var lifecycle = ConnectionLifecycle()
        for event in [.headBegan, .headEnded, .answered(then: .nextRequest), .written] as [Event] {
            _ = lifecycle.handle(event)
        }
        #expect(lifecycle.requests == 1)
        _ = lifecycle.handle(.answered(then: .linger))
        #expect(lifecycle.requests == 1)
    }

    @Test(
        arguments: [
            // Whether the answer is the last, what is left of the body, and whether to linger; then what follows.
            (false, .nothing, false, .nextRequest), (false, .nothing, true, .nextRequest),
            (true, .nothing, false, .close), (true, .nothing, true, .linger), (false, .bytes(1), false, .discardBody),
            (false, .bytes(65536), true, .discardBody), (false, .bytes(65537), false, .linger),
            (true, .bytes(1), false, .linger), (false, .unknown, false, .linger), (true, .unknown, false, .linger),
        ] as [(Bool, BodyIntake.Remainder, Bool, NextStep)])
    func `what follows an answer depends on what the client may still send`(
        isLast: Bool, remainder: BodyIntake.Remainder, mustLinger: Bool, next: NextStep
    ) {
        #expect(NextStep(isLast: isLast, remainder: remainder, mustLinger: mustLinger) == next)
    }
}
