internal import TaskStore

/// A value for each of many tasks, in an array without a heap object or a string per task.
///
/// A task has a place in the array from its insertion to its removal. Removed places are used again, so the array is as
/// long as the table ever was; an empty table gives its memory back.
struct TaskTable<Value: Sendable>: Sendable {
    private struct Entry {
        var id: TaskID
        /// The neighbours in the task's chain. At a free place, `next` is the next free one.
        var previous = TaskChain.end
        var next = TaskChain.end
        var value: Value
    }

    /// Up to this size, an empty table keeps its memory.
    private static var smallSize: Int { 1024 }

    private var entries: [Entry] = []
    private var index = PlaceIndex()
    private var free = TaskChain.end

    /// How many tasks it has.
    var count: Int { index.count }

    /// The places of all tasks.
    var places: [Int] { entries.indices.filter { entries[$0].previous != TaskChain.free } }

    // MARK: Tasks

    /// The place of a task; nil if it has none.
    func place(of task: TaskID) -> Int? { index.place(task.randomBits) { entries[$0].id == task } }

    /// The task at a place.
    func task(at place: Int) -> TaskID { entries[place].id }

    /// The value of the task at a place.
    subscript(place: Int) -> Value {
        get { entries[place].value }
        _modify { yield &entries[place].value }
    }

    /// The value of a task; nil if it has no place.
    func value(of task: TaskID) -> Value? { place(of: task).map { self[$0] } }

    /// Adds a task, which must have no place yet, and returns its place.
    mutating func insert(_ task: TaskID, _ value: Value) -> Int {
        let entry = Entry(id: task, value: value)
        let place: Int
        if free != TaskChain.end {
            place = Int(free)
            free = entries[place].next
            entries[place] = entry
        } else {
            place = entries.count
            entries.append(entry)
        }
        index.insert(place, task.randomBits) { entries[$0].id.randomBits }
        return place
    }

    /// Removes the task at a place. It must be in no chain.
    mutating func remove(at place: Int) {
        index.remove(place) { entries[$0].id.randomBits }
        if index.count == 0, entries.count > Self.smallSize {
            self = TaskTable()
            return
        }
        (entries[place].previous, entries[place].next) = (TaskChain.free, free)
        free = UInt32(place)
    }

    // MARK: Chains

    /// Adds the task at a place, which must be in no chain, to the end of a chain.
    mutating func append(_ place: Int, to chain: inout TaskChain) { insert(place, after: chain.last, into: &chain) }

    /// Adds the task at a place, which must be in no chain, to a chain that is in order, behind what equals it. The
    /// search begins at the chain's end.
    mutating func insert(_ place: Int, into chain: inout TaskChain, by isBefore: (Value, Value) -> Bool) {
        var last = chain.last
        while last != TaskChain.end, isBefore(self[place], self[Int(last)]) { last = entries[Int(last)].previous }
        insert(place, after: last, into: &chain)
    }

    /// Removes the task at a place from its chain.
    mutating func remove(_ place: Int, from chain: inout TaskChain) {
        let (previous, next) = (entries[place].previous, entries[place].next)
        if previous == TaskChain.end { chain.first = next } else { entries[Int(previous)].next = next }
        if next == TaskChain.end { chain.last = previous } else { entries[Int(next)].previous = previous }
        chain.count -= 1
    }

    /// The first place of a chain.
    func first(of chain: TaskChain) -> Int? { place(chain.first) }

    /// The place behind another one in their chain.
    func next(after place: Int) -> Int? { self.place(entries[place].next) }

    private func place(_ number: UInt32) -> Int? { number == TaskChain.end ? nil : Int(number) }

    private mutating func insert(_ place: Int, after previous: UInt32, into chain: inout TaskChain) {
        let next = previous == TaskChain.end ? chain.first : entries[Int(previous)].next
        (entries[place].previous, entries[place].next) = (previous, next)
        if previous == TaskChain.end {
            chain.first = UInt32(place)
        } else {
            entries[Int(previous)].next = UInt32(place)
        }
        if next == TaskChain.end { chain.last = UInt32(place) } else { entries[Int(next)].previous = UInt32(place) }
        chain.count += 1
    }
}

/// Some tasks of a ``TaskTable``, in order. A task is in one chain at most.
struct TaskChain: Sendable {
    /// What a chain ends with in place of a place, and the mark of a free place.
    fileprivate static let end = UInt32.max
    fileprivate static let free = UInt32.max - 1

    fileprivate var first = TaskChain.end
    fileprivate var last = TaskChain.end
    /// How many tasks it has.
    fileprivate(set) var count = 0
}
