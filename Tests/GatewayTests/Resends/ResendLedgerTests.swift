import Base
import Hashing
import TaskStore
import Testing

@testable import Gateway

/// The table of ``ResendLedger``, event by event.
struct ResendLedgerTests {
    private static let key = ResendKey(tenant: "shop", content: ContentDigest(high: 1, low: 2))

    /// A ledger that is given the test's times, and whose tasks are numbered.
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

        /// Makes a create whose client leaves before its answer.
        mutating func leaveUnread(at seconds: Double = 0) {
            guard case .make(let number) = arrive(at: seconds) else { return }
            ledger.made(number, now: moment(0))
            ledger.lost(number, now: moment(seconds))
        }
    }

    @Test func `equal creates are separate tasks while the first is being answered and after it was read`() {
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

    @Test func `an unread create is attached to once each time that its answer is lost`() {
        var subject = Subject()
        subject.leaveUnread()
        #expect(subject.arrive(at: 1) == .attach(1, id(1)))
        // While that one is being answered, the next is a new create.
        #expect(subject.arrive(at: 2) == .make(2))
        subject.ledger.lost(1, now: moment(3))
        #expect(subject.arrive(at: 4) == .attach(1, id(1)))
        subject.ledger.read(1, now: moment(5))
        #expect(subject.arrive(at: 6) == .make(3))
    }

    @Test func `a create that arrives after its own resend shares the task of the resend`() {
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

    @Test func `a resend of a create in progress waits for its outcome, then attaches to it`() {
        var subject = Subject()
        #expect(subject.arrive() == .make(1))
        subject.ledger.lost(1, now: moment(1))
        #expect(subject.arrive(at: 2) == .wait(1))
        subject.ledger.made(1, now: moment(0))
        #expect(subject.arrive(at: 3) == .attach(1, id(1)))
    }

    @Test func `a create that made nothing is forgotten, even if a resend waits for it`() {
        var subject = Subject()
        #expect(subject.arrive() == .make(1))
        subject.ledger.lost(1, now: moment(1))
        #expect(subject.arrive(at: 2) == .wait(1))
        subject.ledger.madeNothing(1)
        #expect(subject.arrive(at: 3) == .make(2))
    }

    @Test(arguments: [true, false])
    func `a resend waits for a client that has closed its side, until its answer is read or lost`(isRead: Bool) {
        var subject = Subject()
        #expect(subject.arrive() == .make(1))
        subject.ledger.left(1)
        #expect(subject.arrive(at: 1) == .wait(1))
        subject.ledger.made(1, now: moment(0))
        #expect(subject.arrive(at: 2) == .wait(1))
        if isRead { subject.ledger.read(1, now: moment(3)) } else { subject.ledger.lost(1, now: moment(3)) }
        #expect(subject.arrive(at: 4) == (isRead ? .make(2) : .attach(1, id(1))))
    }

    @Test func `two resends wait for two clients that have left, one each`() {
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

    @Test func `an answer that invites a retry is attached to even after it was read`() {
        var subject = Subject()
        #expect(subject.arrive() == .make(1))
        subject.ledger.made(1, now: moment(0))
        subject.ledger.inviteRetry(1)
        subject.ledger.read(1, now: moment(1))
        #expect(subject.arrive(at: 2) == .attach(1, id(1)))
        // The second answer was a success.
        subject.ledger.read(1, now: moment(3))
        #expect(subject.arrive(at: 4) == .make(2))
    }

    @Test(arguments: [(1.0, false), (2.9, false), (3.1, true)])
    func `an equal create is deliberate if it was sent after the first had its task`(
        sentAt: Double, isOnPurpose: Bool
    ) {
        var subject = Subject()
        #expect(subject.arrive(at: 2) == .make(1))
        subject.ledger.made(1, now: moment(3))
        subject.ledger.read(1, now: moment(3.2))
        #expect(
            subject.arrive(at: 4, hasLeft: true, sentAt: sentAt) == (isOnPurpose ? .make(2) : .share(nil, id(1))))
    }

    @Test func `another tenant or other content makes a new create`() {
        var subject = Subject()
        subject.leaveUnread()
        let others = [
            ResendKey(tenant: "other", content: Self.key.content),
            ResendKey(tenant: "shop", content: ContentDigest(high: 1, low: 3)),
        ]
        for (index, key) in others.enumerated() { #expect(subject.arrive(key, at: 1) == .make(index + 2)) }
    }

    @Test func `an unread create expires when the window has passed since it was last lost`() {
        var subject = Subject()
        subject.leaveUnread()
        #expect(subject.arrive(at: 599) == .attach(1, id(1)))
        subject.ledger.lost(1, now: moment(599))
        #expect(subject.arrive(at: 1198) == .attach(1, id(1)))
        subject.ledger.lost(1, now: moment(1198))
        #expect(subject.arrive(at: 1798) == .make(2))
    }

    @Test func `only the newest unread creates up to the capacity are remembered`() {
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

    @Test func `a resend that attached to nothing makes a new task under the same entry`() {
        var subject = Subject()
        subject.leaveUnread()
        #expect(subject.arrive(at: 1) == .attach(1, id(1)))
        #expect(subject.ledger.startOver(1) { id(77) } == id(77))
        subject.ledger.lost(1, now: moment(2))
        #expect(subject.arrive(at: 3) == .wait(1))
        subject.ledger.made(1, now: moment(0))
        #expect(subject.arrive(at: 4) == .attach(1, id(77)))
    }

    @Test func `a create restored after a crash is unread`() {
        var subject = Subject()
        subject.ledger.restore(Self.key, id(9), until: moment(100))
        #expect(subject.arrive(at: 50) == .attach(1, id(9)))
        subject.ledger.lost(1, now: moment(50))
        #expect(subject.arrive(at: 200) == .attach(1, id(9)))
    }
}
