import TaskStore
import Testing

@testable import Gateway

struct TaskTableTests {
    /// Numbers that look random, and are the same in each run.
    private var random = Spread(seed: 1)

    private func tasks(_ chain: TaskChain, _ table: TaskTable<Int>) -> [TaskID] {
        sequence(first: table.first(of: chain)) { $0.flatMap { table.next(after: $0) } }
            .prefix { $0 != nil }.compactMap { $0.map { table.task(at: $0) } }
    }

    @Test mutating func `a table has what a dictionary would have, whatever is added and removed`() {
        var table = TaskTable<Int>()
        var values: [TaskID: Int] = [:]
        for step in 0..<20_000 {
            // Grows to thousands of tasks, then shrinks to none.
            let isGrowing = step < 10_000
            let task = id(1 + Int.random(in: 0..<4_000, using: &random))
            if let place = table.place(of: task) {
                #expect(table[place] == values[task] && table.task(at: place) == task)
                if isGrowing, step % 4 > 0 {
                    (table[place], values[task]) = (step, step)
                } else {
                    table.remove(at: place)
                    values[task] = nil
                }
            } else {
                #expect(values[task] == nil)
                if isGrowing {
                    _ = table.insert(task, step)
                    values[task] = step
                }
            }
            #expect(table.count == values.count)
        }
        for task in values.keys { #expect(table.value(of: task) == values[task]) }
        #expect(Set(table.places.map { table.task(at: $0) }) == Set(values.keys))
    }

    @Test func `a place is used again after its task is gone`() {
        var table = TaskTable<Int>()
        let places = (1...100).map { table.insert(id($0), $0) }
        for place in places[10..<90] { table.remove(at: place) }
        let again = (101...180).map { table.insert(id($0), $0) }
        #expect(Set(again) == Set(places[10..<90]))
        #expect(table.value(of: id(5)) == 5 && table.value(of: id(20)) == nil && table.value(of: id(180)) == 180)
    }

    @Test func `a chain keeps its order when tasks leave it at the front, in the middle and at the end`() {
        var (table, chain, other) = (TaskTable<Int>(), TaskChain(), TaskChain())
        let places = (1...6).map { table.insert(id($0), $0) }
        for place in places { table.append(place, to: &chain) }
        for place in [places[0], places[3], places[5]] {
            table.remove(place, from: &chain)
            table.append(place, to: &other)
        }
        #expect(tasks(chain, table) == [id(2), id(3), id(5)] && chain.count == 3)
        #expect(tasks(other, table) == [id(1), id(4), id(6)] && other.count == 3)
        for place in [places[1], places[2], places[4]] { table.remove(place, from: &chain) }
        #expect(tasks(chain, table).isEmpty && chain.count == 0)
    }

    @Test func `a chain in order stays in order, and equals stay in the order of their arrival`() {
        var (table, chain) = (TaskTable<Int>(), TaskChain())
        for (index, value) in [5, 1, 3, 3, 9, 1, 5].enumerated() {
            table.insert(table.insert(id(index), value), into: &chain) { $0 < $1 }
        }
        #expect(tasks(chain, table) == [1, 5, 2, 3, 0, 6, 4].map { id($0) })
    }

    @Test func `what is kept of a watched task is small`() {
        #expect(MemoryLayout<Watch>.size <= 30)
    }
}
