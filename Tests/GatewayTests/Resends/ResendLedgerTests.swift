import Base
import Hashing
import TaskStore
import Testing

@testable import Gateway

/// The table of ``ResendLedger``, event by event.
struct ResendLedgerTests {
    private static let key = ResendKey(tenant: "shop", content: ContentDigest(high: 1, low: 2))

    /// A ledger with a clock of the test's, whose tasks are numbered.
    private struct Subject {
        var ledger = ResendLedger(window: .seconds(600), capacity: 8)
        var tasks = 0

        mutating func arrive(
            _ key: ResendKey = ResendLedgerTests.key, at seconds: Double = 0, hasLeft: Bool = false,
            sentAt: Double? = nil
        ) -> ResendLedger.Arrival {
            let reader = ResendLedger.Reader(hasLeft: hasLeft, sentAt: sentAt.map(moment))
            return ledger.arrive(key, reader, now: moment(seconds)) {
                tasks += 1
                return id(tasks)
            }
        }

        /// A create that was made, and whose client has left before its answer.
        mutating func leaveUnread(at seconds: Double = 0) {
            guard case .make(let number) = arrive(at: seconds) else { return }
            ledger.made(number, now: moment(0))
            ledger.lost(number, now: moment(seconds))
        }
    }

    @Test func `two equal creates are two tasks, also while the first is answered, and after it was read`() {
        var subject = Subject()
        #expect(subject.arrive() == .make(1))
        #expect(subject.arrive() == .make(2))
        for number in [1, 2] {
            subject.ledger.made(number, now: moment(0))
            subject.ledger.read(number, now: moment(1))
        }
        #expect(subject.arrive(at: 2) == .make(3))
        #expect(subject.tasks == 3 && subject.ledger.count == 1)
    }

    @Test func `what nobody has read is attached to, once for each time that it is lost`() {
        var subject = Subject()
        subject.leaveUnread()
        #expect(subject.arrive(at: 1) == .attach(1, id(1)))
        // While that one is answered, another is another create.
        #expect(subject.arrive(at: 2) == .make(2))
        subject.ledger.lost(1, now: moment(3))
        #expect(subject.arrive(at: 4) == .attach(1, id(1)))
        subject.ledger.read(1, now: moment(5))
        #expect(subject.arrive(at: 6) == .make(3))
    }

    @Test func `a create that comes after the one that its client has sent in its place has that one's task`() {
        var subject = Subject()
        #expect(subject.arrive() == .make(1))
        subject.ledger.made(1, now: moment(0))
        subject.ledger.read(1, now: moment(1))
        #expect(subject.ledger.doubts(Self.key, now: moment(1)).wasRead)
        #expect(subject.arrive(at: 2, hasLeft: true) == .share(nil, id(1)))
        #expect(subject.arrive(at: 2) == .make(2), "its client is there: it is another create")
        #expect(subject.arrive(at: 30, hasLeft: true) == .share(2, id(2)))
        subject.ledger.read(2, now: moment(31))
        #expect(subject.arrive(at: 60, hasLeft: true) == .make(3), "long after that, it is another create too")
    }

    @Test func `a create that is lost at work is attached to when it is known what it came to`() {
        var subject = Subject()
        #expect(subject.arrive() == .make(1))
        subject.ledger.lost(1, now: moment(1))
        #expect(subject.arrive(at: 2) == .wait(1))
        subject.ledger.made(1, now: moment(0))
        #expect(subject.arrive(at: 3) == .attach(1, id(1)))
    }

    @Test func `a create that came to nothing is forgotten, whoever waits for it`() {
        var subject = Subject()
        #expect(subject.arrive() == .make(1))
        subject.ledger.lost(1, now: moment(1))
        #expect(subject.arrive(at: 2) == .wait(1))
        subject.ledger.madeNothing(1)
        #expect(subject.arrive(at: 3) == .make(2))
    }

    @Test(arguments: [true, false])
    func `where a client has ended its side, what becomes of its answer decides`(isRead: Bool) {
        var subject = Subject()
        #expect(subject.arrive() == .make(1))
        subject.ledger.left(1)
        #expect(subject.arrive(at: 1) == .wait(1))
        subject.ledger.made(1, now: moment(0))
        #expect(subject.arrive(at: 2) == .wait(1))
        if isRead { subject.ledger.read(1, now: moment(3)) } else { subject.ledger.lost(1, now: moment(3)) }
        #expect(subject.arrive(at: 4) == (isRead ? .make(2) : .attach(1, id(1))))
    }

    @Test func `two that come again wait for two that have left, each for one`() {
        var subject = Subject()
        for number in [1, 2] { #expect(subject.arrive() == .make(number)) }
        for number in [1, 2] { subject.ledger.left(number) }
        guard case .wait(let first) = subject.arrive() else {
            Issue.record("it is made before it is known whether the first was read")
            return
        }
        subject.ledger.wait(for: first, 1)
        #expect(subject.arrive() == .wait(3 - first))
        subject.ledger.wait(for: first, -1)
    }

    @Test func `an answer that invites a retry is attached to although it was read`() {
        var subject = Subject()
        #expect(subject.arrive() == .make(1))
        subject.ledger.made(1, now: moment(0))
        subject.ledger.inviteRetry(1)
        subject.ledger.read(1, now: moment(1))
        #expect(subject.arrive(at: 2) == .attach(1, id(1)))
        // The second time it was a success.
        subject.ledger.read(1, now: moment(3))
        #expect(subject.arrive(at: 4) == .make(2))
    }

    @Test(arguments: [(1.0, false), (2.9, false), (3.1, true)])
    func `a client that has ended its side sends an equal create on purpose, if the first had its task by then`(
        sentAt: Double, isOnPurpose: Bool
    ) {
        var subject = Subject()
        #expect(subject.arrive(at: 2) == .make(1))
        subject.ledger.made(1, now: moment(3))
        subject.ledger.read(1, now: moment(3.2))
        #expect(
            subject.arrive(at: 4, hasLeft: true, sentAt: sentAt) == (isOnPurpose ? .make(2) : .share(nil, id(1))))
    }

    @Test func `another tenant's content, or other content, is another create`() {
        var subject = Subject()
        subject.leaveUnread()
        let others = [
            ResendKey(tenant: "other", content: Self.key.content),
            ResendKey(tenant: "shop", content: ContentDigest(high: 1, low: 3)),
        ]
        for (index, key) in others.enumerated() { #expect(subject.arrive(key, at: 1) == .make(index + 2)) }
    }

    @Test func `what is unread is forgotten after the window, counted from the last time that it was lost`() {
        var subject = Subject()
        subject.leaveUnread()
        #expect(subject.arrive(at: 599) == .attach(1, id(1)))
        subject.ledger.lost(1, now: moment(599))
        #expect(subject.arrive(at: 1198) == .attach(1, id(1)))
        subject.ledger.lost(1, now: moment(1198))
        #expect(subject.arrive(at: 1798) == .make(2))
    }

    @Test func `no more than so many are remembered, the youngest`() {
        var others = Subject()
        for number in 0..<20 {
            let key = ResendKey(tenant: "shop", content: ContentDigest(high: 0, low: UInt64(number)))
            guard case .make(let entry) = others.arrive(key, at: Double(number)) else { continue }
            others.ledger.made(entry, now: moment(0))
            others.ledger.lost(entry, now: moment(Double(number)))
        }
        #expect(others.ledger.count == 8)
        #expect(Set(others.ledger.tasks) == Set((13...20).map(id)))
    }

    @Test func `what attaches to nothing makes a task of its own, under the same entry`() {
        var subject = Subject()
        subject.leaveUnread()
        #expect(subject.arrive(at: 1) == .attach(1, id(1)))
        #expect(subject.ledger.startOver(1) { id(77) } == id(77))
        subject.ledger.lost(1, now: moment(2))
        #expect(subject.arrive(at: 3) == .wait(1))
        subject.ledger.made(1, now: moment(0))
        #expect(subject.arrive(at: 4) == .attach(1, id(77)))
    }

    @Test func `what a crash has left is unread`() {
        var subject = Subject()
        subject.ledger.restore(Self.key, id(9), until: moment(100))
        #expect(subject.arrive(at: 50) == .attach(1, id(9)))
        subject.ledger.lost(1, now: moment(50))
        #expect(subject.arrive(at: 200) == .attach(1, id(9)))
    }
}
