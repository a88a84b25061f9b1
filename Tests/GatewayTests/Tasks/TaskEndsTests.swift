import Base
import EventLoop
import TaskStore
import TestKit
import Testing

@testable import Gateway

@Suite(.onEventLoop, .timeLimit(.minutes(5))) struct TaskEndsTests {
    private let ends = TaskEnds()
    private let loop: EventLoop
    private let tasks = taskIDs(3)

    init() throws { loop = try EventLoop(name: "ends") }

    /// A caller that waits for some of the tasks.
    private struct Caller {
        let work: Task<Void, Never>
        let isDone = Lock(false)

        init(_ ticket: Int, until deadline: MonotonicTime, _ ends: TaskEnds, _ loop: EventLoop) {
            work = loop.spawn { [isDone] in
                await ends.wait(ticket, until: deadline)
                isDone.withLock { $0 = true }
            }
        }
    }

    private func wait(for places: [Int], until deadline: MonotonicTime = .now + .seconds(600)) -> Caller {
        Caller(ends.register(places.map { tasks[$0] }), until: deadline, ends, loop)
    }

    /// Whether each caller is done, after the loop has run what is ready.
    private func areDone(_ callers: [Caller]) async -> [Bool] {
        for _ in 0..<3 { await loop.spawn {}.value }
        return callers.map { $0.isDone.withLock { $0 } }
    }

    @Test func `each caller is woken by the last end that it waits for`() async {
        let callers = [wait(for: [0]), wait(for: [0, 1]), wait(for: [2, 0]), wait(for: [1, 1])]
        #expect(await areDone(callers) == [false, false, false, false])
        let steps: [(end: Int, done: [Bool])] = [
            (0, [true, false, false, false]), (0, [true, false, false, false]), (1, [true, true, false, true]),
            (2, [true, true, true, true]),
        ]
        for step in steps {
            ends.ended(tasks[step.end])
            #expect(await areDone(callers) == step.done, "after the end of \(step.end)")
        }
        #expect(ends.count == 0)
        loop.stop()
    }

    @Test func `an end between the registration and the wait is not missed`() async {
        let ticket = ends.register([tasks[0], tasks[1]])
        ends.ended(tasks[0])
        ends.ended(tasks[1])
        let caller = Caller(ticket, until: .now + .seconds(600), ends, loop)
        await caller.work.value
        #expect(ends.count == 0)
        loop.stop()
    }

    @Test func `a wait for no tasks ends immediately`() async {
        await wait(for: []).work.value
        #expect(ends.count == 0)
        loop.stop()
    }

    @Test func `a wait ends at its deadline, while others continue`() async {
        let other = wait(for: [0])
        await wait(for: [0], until: .now + .milliseconds(1)).work.value
        #expect(await areDone([other]) == [false])
        #expect(ends.count == 1)
        ends.ended(tasks[0])
        await other.work.value
        #expect(ends.count == 0)
        loop.stop()
    }

    @Test(arguments: [false, true]) func `a wait ends when its caller is cancelled`(isEarly: Bool) async {
        let caller = wait(for: [0])
        if !isEarly { _ = await areDone([caller]) }
        caller.work.cancel()
        await caller.work.value
        #expect(ends.count == 0)
        ends.ended(tasks[0])
        loop.stop()
    }
}
