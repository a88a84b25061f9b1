import TaskStore
import Testing

@testable import Gateway

/// Several tasks of a key at once, over all threads.
struct RunningTasksTests {
    private func ids(_ numbers: Range<Int>) -> [TaskID] { numbers.map { id($0) } }

    @Test(arguments: [
        (3, 0, 3, true), (3, 0, 4, false), (3, 2, 1, true), (3, 2, 2, false), (3, 3, 1, false), (0, 0, 1, false),
        (1, 1, 0, true),
    ])
    func `several tasks are admitted together or not at all`(limit: Int, running: Int, asked: Int, isAdmitted: Bool) {
        let tasks = RunningTasks()
        for task in ids(0..<running) { #expect(tasks.admit(task, key: "k", limit: limit, now: moment(0))) }
        #expect(tasks.admit(ids(100..<100 + asked), key: "k", limit: limit, now: moment(0)) == isAdmitted)
        let left = ids(200..<210).count { tasks.admit($0, key: "k", limit: limit, now: moment(0)) }
        #expect(left == limit - running - (isAdmitted ? asked : 0))
    }

    @Test func `a task that has a slot keeps it when others are refused beside it`() {
        let tasks = RunningTasks()
        #expect(tasks.admit(id(1), key: "k", limit: 2, now: moment(0)))
        #expect(!tasks.admit(ids(1..<4), key: "k", limit: 2, now: moment(0)))
        #expect(tasks.admit(ids(1..<3), key: "k", limit: 2, now: moment(0)))
        #expect(!tasks.admit(id(3), key: "k", limit: 2, now: moment(0)))
    }

    @Test func `the end of a task frees one slot of its own key, once`() {
        let tasks = RunningTasks()
        #expect(tasks.admit(ids(1..<3), key: "a", limit: 2, now: moment(0)))
        #expect(tasks.admit(id(3), key: "b", limit: 1, now: moment(0)))
        tasks.finish(id(1))
        tasks.finish(id(1))
        tasks.finish(id(9))
        #expect(!tasks.admit(ids(4..<6), key: "a", limit: 2, now: moment(0)))
        #expect(tasks.admit(id(4), key: "a", limit: 2, now: moment(0)))
        #expect(!tasks.admit(id(6), key: "b", limit: 1, now: moment(0)))
    }

    @Test func `slots that were held for half an hour make room for a job`() {
        let tasks = RunningTasks()
        #expect(tasks.admit(ids(1..<3), key: "k", limit: 3, now: moment(0)))
        #expect(tasks.admit(id(3), key: "k", limit: 3, now: moment(1)))
        #expect(!tasks.admit(ids(4..<6), key: "k", limit: 3, now: moment(1799.9)))
        #expect(!tasks.admit(ids(4..<7), key: "k", limit: 3, now: moment(1800)))
        #expect(tasks.admit(ids(4..<6), key: "k", limit: 3, now: moment(1800)))
    }

    @Test func `keys come and go, and each counts only its own tasks`() {
        var slots = TaskSlots()
        for round in 0..<10 {
            for key in 0..<20 {
                let tasks = ids((round * 20 + key) * 3 + 1..<(round * 20 + key) * 3 + 3)
                let areAdmitted = slots.admit(tasks, key: "\(round)-\(key)", limit: 2, now: moment(0))
                let isMoreAdmitted = slots.admit(id(9_000), key: "\(round)-\(key)", limit: 2, now: moment(0))
                #expect(areAdmitted && !isMoreAdmitted)
            }
            #expect(slots.count == 40)
            for task in ids(round * 60 + 1..<round * 60 + 61) { slots.finish(task) }
            #expect(slots.count == 0)
        }
    }

    @Test func `concurrent jobs of a key never exceed its limit`() async {
        let tasks = RunningTasks()
        let admitted = await withTaskGroup(of: Int.self) { group in
            for worker in 0..<20 {
                group.addTask {
                    (0..<50).count { job in
                        let first = (worker * 50 + job) * 3
                        return tasks.admit(ids(first..<first + 3), key: "k", limit: 31, now: moment(0))
                    }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(admitted == 10)
    }
}
