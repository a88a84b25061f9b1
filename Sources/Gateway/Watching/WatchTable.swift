internal import Base
internal import TaskStore

/// The watched tasks of one account, and where each of them waits: in the bucket of its due time, or in a list of due
/// tasks.
///
/// A bucket is a quarter of a second. Moving a task takes constant time; draining buckets takes time in proportion to
/// what is drained.
struct WatchTable: Sendable {
    private static let width: Int64 = 250_000_000

    private var tasks = TaskTable<Watch>()
    private var upstreamIDs = UpstreamIDs()
    /// The lists of due tasks, by their raw values.
    private var lists = Array(repeating: TaskChain(), count: Int(WatchList.none.rawValue))
    private var buckets: [UInt32: TaskChain] = [:]
    /// The first bucket that has not been drained.
    private var next: UInt32

    init(now: MonotonicTime) { next = Self.bucket(now.nanoseconds / Self.width) }

    // MARK: Tasks

    var count: Int { tasks.count }

    /// The places of all tasks.
    var places: [Int] { tasks.places }

    /// The place of a task; nil if it isn't watched.
    func place(of task: TaskID) -> Int? { tasks.place(of: task) }

    /// The place of the task that Kling knows by this id.
    func place(upstreamID: String) -> Int? { upstreamIDs.place(of: upstreamID) { tasks[$0].upstreamID } }

    func task(at place: Int) -> TaskID { tasks.task(at: place) }

    /// Kling's id of the task at a place.
    func upstreamID(at place: Int) -> String { upstreamIDs.id(at: place, tasks[place].upstreamID) }

    subscript(place: Int) -> Watch {
        get { tasks[place] }
        _modify { yield &tasks[place] }
    }

    /// Adds a task, which must not be watched yet, to no list, and returns its place.
    mutating func insert(_ task: TaskID, upstreamID: String, _ watch: Watch) -> Int {
        let place = tasks.insert(task, watch)
        let number = upstreamIDs.insert(upstreamID, at: place) { tasks[$0].upstreamID }
        tasks[place].upstreamID = number
        return place
    }

    mutating func remove(at place: Int) {
        move(place, to: .none)
        upstreamIDs.remove(place) { tasks[$0].upstreamID }
        tasks.remove(at: place)
        if tasks.count == 0 { upstreamIDs = UpstreamIDs() }
    }

    // MARK: Due times

    /// The bucket of what is due at `time`. It is never drained before that time.
    func bucket(of time: MonotonicTime) -> UInt32 {
        max(next, Self.bucket((time.nanoseconds + Self.width - 1) / Self.width))
    }

    /// Makes a task wait for its due time.
    mutating func move(_ place: Int, toBucket bucket: UInt32) {
        leaveList(place)
        tasks.append(place, to: &buckets[bucket, default: TaskChain()])
        (tasks[place].list, tasks[place].bucket) = (.bucket, bucket)
    }

    /// Passes on the tasks in the buckets up to `now`, in order. `body` has to move each of them.
    mutating func drain(_ now: MonotonicTime, _ body: (inout WatchTable, Int) -> Void) {
        let last = Self.bucket(now.nanoseconds / Self.width)
        guard last >= next else { return }
        // After a long sleep, there may be fewer buckets than quarters of a second.
        let due = last - next < buckets.count ? Array(next...last) : buckets.keys.filter { $0 <= last }.sorted()
        next = last + 1
        for bucket in due {
            while let place = buckets[bucket].flatMap(tasks.first) { body(&self, place) }
        }
    }

    /// 34 years after the machine's start, all buckets are one.
    private static func bucket(_ number: Int64) -> UInt32 { UInt32(clamping: number) }

    // MARK: Lists of due tasks

    /// How many tasks a list has.
    func count(in list: WatchList) -> Int { lists[Int(list.rawValue)].count }

    /// The first task of a list.
    func first(in list: WatchList) -> Int? { tasks.first(of: lists[Int(list.rawValue)]) }

    /// The task behind another one in its list.
    func next(after place: Int) -> Int? { tasks.next(after: place) }

    /// Moves a task to the end of a list of due tasks, or to none.
    mutating func move(_ place: Int, to list: WatchList) {
        leaveList(place)
        if list != .none { tasks.append(place, to: &lists[Int(list.rawValue)]) }
        tasks[place].list = list
    }

    private mutating func leaveList(_ place: Int) {
        switch tasks[place].list {
        case .none: break
        case .bucket:
            let bucket = tasks[place].bucket
            tasks.remove(place, from: &buckets[bucket, default: TaskChain()])
            if buckets[bucket]?.count == 0 { buckets[bucket] = nil }
        case let list: tasks.remove(place, from: &lists[Int(list.rawValue)])
        }
    }
}
