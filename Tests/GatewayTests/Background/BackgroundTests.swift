import Base
import EventLoop
import TestKit
import Testing

@testable import Gateway

@Suite(.onEventLoop, .timeLimit(.minutes(5))) struct BackgroundTests {
    private let loop: EventLoop
    private let background: Background

    init() throws {
        loop = try EventLoop(name: "background")
        background = Background(loop: loop)
    }

    @Test func `work runs on the loop`() async {
        let places = Mailbox<Bool>()
        let isStarted = background.start { [loop] in places.put(loop.isCurrent) }
        let isOnLoop = await places.next()
        #expect(isStarted && isOnLoop)
        await background.stop()
        loop.stop()
    }

    @Test func `stopping cancels running work and waits until it has ended`() async {
        let (started, ended) = (Mailbox<Int>(), Lock<[Bool]>([]))
        for number in 0..<3 {
            background.start { [background, loop] in
                started.put(number)
                let hasSlept = await background.sleep(until: .now + .seconds(600))
                // It goes on for a while after its cancellation.
                for _ in 0..<3 { await loop.spawn {}.value }
                ended.withLock { $0.append(hasSlept) }
            }
        }
        for _ in 0..<3 { _ = await started.next() }
        await background.stop()
        #expect(ended.withLock { $0 } == [false, false, false])
        loop.stop()
    }

    @Test func `nothing is started once it stops, not even by running work`() async {
        let (started, outcome) = (Mailbox<Void>(), Mailbox<Bool>())
        background.start { [background] in
            started.put(())
            _ = await background.sleep(until: .now + .seconds(600))
            outcome.put(background.start { Issue.record("work was started") })
        }
        await started.next()
        await background.stop()
        let isStarted = background.start { Issue.record("work was started") }
        let wasStarted = await outcome.next()
        #expect(!isStarted && !wasStarted)
        await loop.run {}
        loop.stop()
    }

    @Test(arguments: [-600_000, 0, 1]) func `a sleep ends at its time`(milliseconds: Int64) async {
        let outcome = Mailbox<Bool>()
        background.start { [background] in
            let end = MonotonicTime.now + .milliseconds(milliseconds)
            outcome.put(await background.sleep(until: end) && MonotonicTime.now >= end)
        }
        #expect(await outcome.next())
        await background.stop()
        loop.stop()
    }
}
