import Base
import Dispatch
import EventLoop
import KlingAPI
import TaskStore
import Testing

@testable import Gateway

/// A simulated Kling and store, which answer at once.
private final class Reader: TaskReader {
    struct State {
        var now = MonotonicTime(nanoseconds: 1_000_000_000_000)
        /// Kling's tasks with their statuses, by its own ids, newest first.
        var tasks: [(id: String, status: String)] = []
        var failure: TaskReadFailure?
        var calls: [String] = []
        var found: [TaskID] = []
        var flags: [TaskID: Bool] = [:]
        var tasksPerQuery = 1
    }

    let state = Lock(State())

    var now: MonotonicTime { state.withLock { $0.now } }
    var calls: [String] { state.withLock { $0.calls } }

    func pass(_ duration: Duration) { state.withLock { $0.now = $0.now + duration } }

    private func object(_ id: String, _ status: String) -> TaskObject? {
        TaskObject(Array(#"{"task_id":"\#(id)","task_status":"\#(status)"}"#.utf8))
    }

    nonisolated(nonsending) func list(_ account: String, page: Int) async throws(TaskReadFailure) -> TaskPage {
        let (tasks, failure) = state.withLock { state in
            state.calls.append("\(account) list \(page)")
            return (state.tasks, state.failure)
        }
        if let failure { throw failure }
        return TaskPage(tasks: tasks.compactMap { object($0.id, $0.status) }, isLast: true)
    }

    func tasksPerQuery(_ account: String) -> Int { state.withLock { $0.tasksPerQuery } }

    nonisolated(nonsending) func query(_ account: String, _ tasks: [WatchedID]) async -> [TaskReading] {
        let (known, failure) = state.withLock { state in
            state.calls.append("\(account) query \(tasks.map(\.upstreamID).joined(separator: ","))")
            return (state.tasks, state.failure)
        }
        return tasks.map { task in
            if let failure, failure != .noList { return .failed }
            let status = known.first { $0.id == task.upstreamID }?.status
            return status.flatMap { object(task.upstreamID, $0) }.map { .found($0) } ?? .unknown
        }
    }

    nonisolated(nonsending) func found(_ tasks: [FoundTask]) async -> [TaskProgress] {
        state.withLock { $0.found += tasks.map(\.id) }
        return tasks.map { $0.object.status == .succeed ? .ended : .unfinished }
    }

    nonisolated(nonsending) func flag(_ task: TaskID, isStuck: Bool) async {
        state.withLock { $0.flags[task] = isStuck }
    }
}

struct WatcherTests {
    private let loop: EventLoop
    private let reader = Reader()
    private let watcher: Watcher
    private let ids: [TaskID]

    init() throws {
        loop = try EventLoop(name: "watcher-test")
        watcher = Watcher(reader: reader, on: loop, seed: 1) { [reader] in reader.now }
        var ids = TaskIDGenerator()
        self.ids = (0..<5).map { _ in ids.next(at: 1) }
    }

    /// Watches `count` tasks, which Kling knows as `k0`, `k1` and so on.
    private func watch(_ count: Int, of account: String = "main", quietFor: Duration = .zero) {
        for (index, id) in ids.prefix(count).enumerated() {
            let task = WatchedTask(id: id, isAwaited: true, quietFor: quietFor)
            watcher.watch(task, upstreamID: "k\(index)", of: account)
        }
        reader.state.withLock { $0.tasks = (0..<count).map { ("k\($0)", "processing") } }
    }

    /// Advances the time, runs a tick, and waits for the calls that it makes.
    private func tick(after duration: Duration) async {
        reader.pass(duration)
        await loop.run { watcher.tick() }
        await settle()
    }

    /// The reader never waits, so spawned work is done after a few turns of the loop's inbox.
    private func settle() async { for _ in 0..<8 { await loop.spawn {}.value } }

    private func count() async -> Int { await loop.run { watcher.count } }

    private func end() async {
        await watcher.stop()
        await settle()
        await withCheckedContinuation { done in
            DispatchQueue.global().async { [loop] in
                loop.stop()
                done.resume()
            }
        }
    }

    @Test func `many tasks are read with one list call, and ended ones are no longer watched`() async {
        watch(5)
        await tick(after: .seconds(8))
        #expect(reader.calls == ["main list 1"])
        #expect(reader.state.withLock { $0.found.sorted() } == ids)
        reader.state.withLock { $0.tasks[1...3] = [("k1", "succeed"), ("k2", "succeed"), ("k3", "succeed")] }
        await tick(after: .seconds(8))
        #expect(await count() == 2)
        await tick(after: .seconds(8))
        #expect(reader.calls == ["main list 1", "main list 1", "main list 1"])
        await end()
    }

    @Test func `tasks that fit in one query are read with one, and more with one list call`() async {
        reader.state.withLock { $0.tasksPerQuery = 4 }
        watch(4)
        await tick(after: .seconds(8))
        #expect(reader.calls.count == 1)
        #expect(reader.calls[0].hasPrefix("main query ") && reader.calls[0].split(separator: ",").count == 4)
        watch(5)
        await tick(after: .seconds(8))
        #expect(reader.calls.last == "main list 1" && reader.calls.count == 2)
        await end()
    }

    @Test func `a hinted task is queried at once, and no longer watched once it has ended`() async {
        watch(1)
        reader.state.withLock { $0.tasks[0].status = "succeed" }
        watcher.hint(ids[0])
        await settle()
        #expect(reader.calls == ["main query k0"])
        #expect(await count() == 0)
        watcher.hint(ids[0])
        watcher.hint(ids[4])
        await settle()
        #expect(reader.calls.count == 1)
        await end()
    }

    @Test func `a task that was just seen elsewhere is not queried`() async {
        watch(2)
        // Without this news, both would be due at the next tick: half a second after the start, give or take a tenth.
        await tick(after: .milliseconds(400))
        watcher.seen(ids[0], .unfinished)
        watcher.seen(ids[1], .ended)
        await settle()
        await tick(after: .milliseconds(400))
        #expect(reader.calls.isEmpty)
        #expect(await count() == 1)
        await end()
    }

    @Test func `a check counts from its own time, not from the tick that learns of it`() async {
        watch(1)
        for _ in 0..<5 {
            await tick(after: .milliseconds(1_020))
            watcher.seen(ids[0], .unfinished)
        }
        #expect(reader.calls.count == 5)
        await end()
    }

    @Test func `each account is queried separately`() async {
        watch(1, of: "main")
        let other = WatchedTask(id: ids[4], isAwaited: true, quietFor: .zero)
        watcher.watch(other, upstreamID: "k0", of: "other")
        await settle()
        await tick(after: .seconds(8))
        #expect(reader.calls.sorted() == ["main query k0", "other query k0"])
        await end()
    }

    @Test func `failures end no task, and an account without a list is queried task by task`() async {
        watch(3)
        reader.state.withLock { $0.failure = .unavailable }
        for _ in 0..<20 { await tick(after: .seconds(8)) }
        #expect(await count() == 3)
        reader.state.withLock { $0.failure = .noList }
        for _ in 0..<20 { await tick(after: .seconds(8)) }
        #expect(reader.state.withLock { Set($0.found) } == Set(ids.prefix(3)))
        #expect(await count() == 3)
        await end()
    }

    @Test func `a task that Kling has not known for a day is flagged until Kling knows it again`() async {
        watch(1, quietFor: .seconds(90_000))
        reader.state.withLock { $0.tasks = [] }
        await tick(after: .seconds(8))
        #expect(reader.state.withLock { $0.flags } == [ids[0]: true])
        #expect(await count() == 1)
        reader.state.withLock { $0.tasks = [("k0", "processing")] }
        await tick(after: .seconds(700))
        #expect(reader.state.withLock { $0.flags } == [ids[0]: false])
        #expect(await count() == 1)
        await end()
    }

    @Test func `a stopped watcher makes no calls`() async {
        watch(3)
        watcher.start()
        await watcher.stop()
        await tick(after: .seconds(60))
        #expect(reader.calls.isEmpty)
        await end()
    }
}
