internal import Base
internal import HTTPServer
internal import Hashing
internal import TaskStore

/// What identifies a create: its tenant and its exact content, which includes the route.
struct ResendKey: Sendable, Hashable {
    let tenant: String
    let content: ContentDigest

    /// The content's digest is well mixed, and two tenants rarely send the same content.
    func hash(into hasher: inout Hasher) { hasher.combine(content.low) }
}

/// The creates whose answers have not been read yet, and which of them a request with the same content belongs to.
///
/// Each create is one entry, from before its first write until its answer is read:
///
/// | entry       | means                                                     | the same content from the same tenant |
/// |-------------|-----------------------------------------------------------|---------------------------------------|
/// | answering   | a client waits for the answer, or it is on its way        | is a new create                       |
/// | left        | the same, but its client has closed its side              | waits until that is decided           |
/// | unread      | the answer cannot have been read                          | attaches to it                        |
/// | (none)      | the answer was read, or nothing was made                  | is a new create                       |
///
/// Many HTTP libraries automatically resend a POST when its connection breaks. Two equal creates whose answers are both
/// read are two tasks. A value: events in, answers out; time is passed in, and nothing changes by itself.
struct ResendLedger: Sendable {
    /// What an arriving create has to do.
    enum Arrival: Sendable, Equatable {
        /// Create a task under this entry.
        case make(Int)
        /// Use the answer of this entry's create, whose first task this is.
        case attach(Int, TaskID)
        /// Try again when this entry has changed.
        case wait(Int)
        /// Use the answer of this entry's create, whose first task this is, without an entry of its own. The client of
        /// the arriving request has left already, and has most likely sent the other create too. nil: that create's
        /// answer was read.
        case share(Int?, TaskID)
    }

    /// One client's exchange.
    struct Reader: Sendable {
        /// Whether the client has closed its side.
        var hasLeft = false
        /// Whether its connection is lost, so that it can't read the answer.
        var isLost = false
        /// When the request of a client that has closed its side reached this machine; nil if the system doesn't say.
        var sentAt: MonotonicTime?
        /// The body of its request, by which the client is looked for.
        var body: RequestBody?

        /// Whether the request was sent before `madeAt`, when the task was made that answered a later request of its
        /// client. If so, the client gave up and sent the same content again. If not, the request is deliberate, and
        /// its client has only closed its side.
        fileprivate func isBelated(_ madeAt: MonotonicTime?) -> Bool {
            guard let sentAt, let madeAt else { return true }
            return sentAt + Self.precision < madeAt
        }

        private static let precision = Duration.milliseconds(4)
    }

    private struct Entry {
        let key: ResendKey
        var task: TaskID
        /// The client that waits for the answer; nil if the answer is unread.
        var reader: Reader?
        /// Whether the create is still in progress, so that there is nothing to attach to yet.
        var isInProgress = true
        /// Whether the answer invites a retry although it may be read: 502 or 504 with a task's id.
        var invitesRetry = false
        /// How many requests wait for it to change.
        var waiting = 0
        /// When the task was made, or when its current reader attached to it; nil while the create is in progress, and
        /// after a restart.
        var madeAt: MonotonicTime?
        /// When it expires, if its answer stays unread.
        var expiresAt: MonotonicTime?

        /// Whether a request with the same content may belong to it.
        var isOpen: Bool { reader.map(\.hasLeft) ?? true }
    }

    /// The entries of one key, oldest first.
    private struct Group {
        var numbers: [Int] = []
        /// How many of them are open.
        var open = 0
    }

    /// How long an unread create is remembered.
    let window: Duration
    /// How many unread creates are remembered; beyond that, the oldest are evicted.
    private let capacity: Int
    private var entries: [Int: Entry] = [:]
    private var groups: [ResendKey: Group] = [:]
    private var repeated = RecentKeys()
    /// When entries expire, earliest first. Entries that a request has attached to since are skipped.
    private var ends: [(number: Int, at: MonotonicTime)] = []
    private var firstEnd = 0
    private var last = 0

    init(window: Duration, capacity: Int = 65_536) {
        self.window = window
        self.capacity = capacity
    }

    /// The first tasks of all creates whose answers have not been read yet, in no particular order.
    var tasks: [TaskID] { entries.values.map(\.task) }

    /// Those of them that a request with the same content may belong to.
    var openTasks: [TaskID] { entries.values.filter(\.isOpen).map(\.task) }

    var count: Int { entries.count }

    // MARK: Arrivals

    /// Adds an arriving create.
    /// - Parameter makeID: makes the id of its first task, if it is to create one.
    mutating func arrive(
        _ key: ResendKey, _ reader: Reader, now: MonotonicTime, makeID: () -> TaskID
    ) -> Arrival {
        expire(now)
        if let group = groups[key] {
            if group.open > 0, let arrival = arrive(at: group, reader, now) { return arrival }
            if reader.hasLeft, let rival = entries[group.numbers[0]] { return .share(group.numbers[0], rival.task) }
        }
        // It took longer to arrive than the one that its client sent after it.
        if reader.hasLeft, let earlier = repeated.last(of: key, now: now), reader.isBelated(earlier.madeAt) {
            return .share(nil, earlier.task)
        }
        add(Entry(key: key, task: makeID(), reader: reader))
        return .make(last)
    }

    private mutating func arrive(at group: Group, _ reader: Reader, _ now: MonotonicTime) -> Arrival? {
        var undecided: (number: Int, waiting: Int)?
        for number in group.numbers {
            guard let entry = entries[number], entry.isOpen else { continue }
            if entry.reader == nil, !entry.isInProgress {
                update(number) { ($0.reader, $0.invitesRetry, $0.expiresAt, $0.madeAt) = (reader, false, nil, now) }
                return .attach(number, entry.task)
            }
            if entry.waiting < undecided?.waiting ?? .max { undecided = (number, entry.waiting) }
        }
        return undecided.map { .wait($0.number) }
    }

    /// What to check before a create with this content is judged.
    struct Doubts {
        /// The requests whose clients wait for their answers: the same content may have been sent again before it was
        /// noticed that one of them has left. Empty if an answer to the content was read recently, so that it is sent
        /// again on purpose.
        var others: [RequestBody] = []
        /// Whether an answer to the content was read recently. Then the create itself may have taken longer to arrive
        /// than one that was sent after it.
        var wasRead = false
    }

    func doubts(_ key: ResendKey, now: MonotonicTime) -> Doubts {
        if repeated.last(of: key, now: now) != nil { return Doubts(wasRead: true) }
        let numbers = groups[key]?.numbers ?? []
        return Doubts(others: numbers.compactMap { entries[$0]?.reader }.filter { !$0.hasLeft }.compactMap(\.body))
    }

    /// The request of an entry whose client waits.
    func request(of number: Int) -> RequestBody? { entries[number]?.reader?.body }

    /// Whether the create of an entry is still in progress.
    func isInProgress(_ number: Int) -> Bool { entries[number]?.isInProgress ?? false }

    /// Changes the number of requests that wait for an entry to change.
    mutating func wait(for number: Int, _ change: Int) { entries[number]?.waiting += change }

    /// Restores a create that the previous process left unread.
    mutating func restore(_ key: ResendKey, _ task: TaskID, until time: MonotonicTime) {
        add(Entry(key: key, task: task, isInProgress: false))
        forgetLater(last, time)
    }

    private mutating func add(_ entry: Entry) {
        last += 1
        entries[last] = entry
        groups[entry.key, default: Group()].numbers.append(last)
        if entry.isOpen { groups[entry.key]?.open += 1 }
    }

    private mutating func update(_ number: Int, _ change: (inout Entry) -> Void) {
        guard var entry = entries[number] else { return }
        let wasOpen = entry.isOpen
        change(&entry)
        entries[number] = entry
        if entry.isOpen != wasOpen { groups[entry.key]?.open += wasOpen ? -1 : 1 }
    }

    // MARK: Events

    /// The client of an entry's answer has closed its side: it may have left.
    mutating func left(_ number: Int) { update(number) { $0.reader?.hasLeft = true } }

    /// The client of an entry's answer cannot have read it.
    mutating func lost(_ number: Int, now: MonotonicTime) { leaveUnread(number, now) }

    /// The client's system has acknowledged the answer.
    mutating func read(_ number: Int, now: MonotonicTime) {
        guard let entry = entries.removeValue(forKey: number) else { return }
        if entry.invitesRetry {
            entries[number] = entry
            return leaveUnread(number, now)
        }
        repeated.insert(entry.key, RecentKeys.Answer(task: entry.task, madeAt: entry.madeAt), now: now)
        leaveGroup(number, entry)
    }

    /// The create has made a task, or may have.
    mutating func made(_ number: Int, now: MonotonicTime) {
        guard let place = entries.index(forKey: number) else { return }
        entries.values[place].isInProgress = false
        entries.values[place].madeAt = now
    }

    /// The create has made nothing.
    mutating func madeNothing(_ number: Int) { remove(number) }

    /// Gives an entry a new task, because the create that its request was attached to has made nothing.
    mutating func startOver(_ number: Int, makeID: () -> TaskID) -> TaskID? {
        guard entries[number] != nil else { return nil }
        let task = makeID()
        update(number) { ($0.task, $0.isInProgress) = (task, true) }
        return task
    }

    /// Forgets the unread creates of a task whose answer was read elsewhere.
    mutating func wasRead(elsewhere task: TaskID) {
        for (number, entry) in entries where entry.task == task && entry.reader == nil { remove(number) }
    }

    /// Attaches an entry to a task that was made elsewhere.
    mutating func attach(_ number: Int, to task: TaskID, now: MonotonicTime) {
        update(number) { ($0.task, $0.isInProgress, $0.madeAt) = (task, false, now) }
    }

    /// The answer that is about to be sent asks its client to retry.
    mutating func inviteRetry(_ number: Int) { entries[number]?.invitesRetry = true }

    // MARK: Forgetting

    private mutating func leaveUnread(_ number: Int, _ now: MonotonicTime) {
        guard entries[number] != nil else { return }
        update(number) { $0.reader = nil }
        forgetLater(number, now + window)
    }

    private mutating func forgetLater(_ number: Int, _ time: MonotonicTime) {
        entries[number]?.expiresAt = time
        ends.append((number, time))
        if entries.count > capacity { forgetFirst() }
        if ends.count > 4 * capacity { (ends, firstEnd) = (ends[firstEnd...].filter(isCurrent), 0) }
    }

    private mutating func expire(_ now: MonotonicTime) {
        while firstEnd < ends.count, ends[firstEnd].at <= now { forgetFirst() }
        if firstEnd > ends.count / 2 {
            ends.removeFirst(firstEnd)
            firstEnd = 0
        }
    }

    private mutating func forgetFirst() {
        guard firstEnd < ends.count else { return }
        if isCurrent(ends[firstEnd]) { remove(ends[firstEnd].number) }
        firstEnd += 1
    }

    /// Whether an entry still expires at this end: no request has attached to it since.
    private func isCurrent(_ end: (number: Int, at: MonotonicTime)) -> Bool {
        guard let entry = entries[end.number] else { return false }
        return entry.reader == nil && entry.expiresAt == end.at
    }

    private mutating func remove(_ number: Int) {
        if let entry = entries.removeValue(forKey: number) { leaveGroup(number, entry) }
    }

    /// Removes an entry that is no longer among the others from those of its key.
    private mutating func leaveGroup(_ number: Int, _ entry: Entry) {
        guard let place = groups.index(forKey: entry.key),
            // Creates mostly end in the order in which they began.
            let index = groups.values[place].numbers.firstIndex(of: number)
        else { return }
        if groups.values[place].numbers.count == 1 {
            groups.remove(at: place)
        } else {
            groups.values[place].numbers.remove(at: index)
            if entry.isOpen { groups.values[place].open -= 1 }
        }
    }
}
