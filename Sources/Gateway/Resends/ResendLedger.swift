internal import Base
internal import Hashing
internal import TaskStore

/// What a create is told apart by: who sends it, and the exact content, in which the route counts.
struct ResendKey: Sendable, Hashable {
    let tenant: String
    let content: ContentDigest

    /// Content is well mixed, and seldom the same for two tenants.
    func hash(into hasher: inout Hasher) { hasher.combine(content.low) }
}

/// The creates whose answers were not read so far, and which of them the same content belongs to when it comes again.
///
/// Each create is one entry, from before its first write until its answer is read:
///
/// | entry       | means                                                     | the same content from the same tenant |
/// |-------------|-----------------------------------------------------------|---------------------------------------|
/// | answering   | a client waits for the answer, or it is on its way        | is another create                     |
/// | left        | the same, but its client has ended its side               | waits until that is decided           |
/// | unread      | the answer cannot have been read                          | attaches to it                        |
/// | (none)      | the answer was read, or nothing was made                  | is another create                     |
///
/// Many HTTP libraries send a POST again by themselves when its connection breaks; two equal creates whose answers are both
/// read are two tasks. A value: events in, answers out; time is passed in, and nothing changes by itself.
struct ResendLedger: Sendable {
    /// What a create that has arrived is to do.
    enum Arrival: Sendable, Equatable {
        /// Make a task, under that entry.
        case make(Int)
        /// Take the answer of the create that this entry stands for, whose first task this is.
        case attach(Int, TaskID)
        /// Look again when that entry has changed.
        case wait(Int)
        /// Take the answer of that entry's create, whose first task this is, without an entry of its own: its client has
        /// left already, and is most likely the one that has sent the same again. nil: that create's answer was read.
        case share(Int?, TaskID)
    }

    /// One client's exchange.
    struct Reader: Sendable {
        /// Whether the client has ended its side.
        var hasLeft = false
        /// Whether its connection is lost: it will read nothing.
        var isLost = false
        /// When the request of a client that has ended its side reached this machine; nil if the system does not say.
        var sentAt: MonotonicTime?

        /// Whether the request was sent before the task existed that its successor was answered with: its client gave up
        /// and sent the same content again. A later one is deliberate, from a client that only ended its side.
        fileprivate func isBelated(_ madeAt: MonotonicTime?) -> Bool {
            guard let sentAt, let madeAt else { return true }
            return sentAt + Self.precision < madeAt
        }

        private static let precision = Duration.milliseconds(4)
    }

    private struct Entry {
        let key: ResendKey
        var task: TaskID
        /// Who waits for the answer; nil: nobody has read it.
        var reader: Reader?
        /// Whether the create is still at work, so that there is nothing to attach to yet.
        var isAtWork = true
        /// Whether the answer invites a retry although it may be read: 502 or 504 with a task's id.
        var invitesRetry = false
        /// How many wait for it.
        var waiting = 0
        /// When the task existed for its reader; nil while the create is at work, and after a restart.
        var madeAt: MonotonicTime?
        /// When it is forgotten, if nobody reads its answer.
        var expiresAt: MonotonicTime?

        /// Whether the same content may belong to it.
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
    /// How many unread creates are remembered: beyond that, the oldest are forgotten.
    private let capacity: Int
    private var entries: [Int: Entry] = [:]
    private var groups: [ResendKey: Group] = [:]
    private var repeated = RecentKeys()
    /// When entries are to be forgotten, the first first. Those that were attached to since are passed over.
    private var ends: [(number: Int, at: MonotonicTime)] = []
    private var firstEnd = 0
    private var last = 0

    init(window: Duration, capacity: Int = 65_536) {
        self.window = window
        self.capacity = capacity
    }

    /// The first tasks of all creates whose answers were not read so far, in no order.
    var tasks: [TaskID] { entries.values.map(\.task) }

    var count: Int { entries.count }

    // MARK: Arrivals

    /// A create has come.
    /// - Parameter makeID: makes the id of its first task, should it become one.
    mutating func arrive(
        _ key: ResendKey, _ reader: Reader, now: MonotonicTime, makeID: () -> TaskID
    ) -> Arrival {
        expire(now)
        if let group = groups[key] {
            if group.open > 0, let arrival = arrive(at: group, reader, now) { return arrival }
            if reader.hasLeft, let rival = entries[group.numbers[0]] { return .share(group.numbers[0], rival.task) }
        }
        // It took longer to get here than the one that its client has sent after it.
        if reader.hasLeft, let told = repeated.last(of: key, now: now), reader.isBelated(told.madeAt) {
            return .share(nil, told.task)
        }
        add(Entry(key: key, task: makeID(), reader: reader))
        return .make(last)
    }

    private mutating func arrive(at group: Group, _ reader: Reader, _ now: MonotonicTime) -> Arrival? {
        var undecided: (number: Int, waiting: Int)?
        for number in group.numbers {
            guard let entry = entries[number], entry.isOpen else { continue }
            if entry.reader == nil, !entry.isAtWork {
                update(number) { ($0.reader, $0.invitesRetry, $0.expiresAt, $0.madeAt) = (reader, false, nil, now) }
                return .attach(number, entry.task)
            }
            if entry.waiting < undecided?.waiting ?? .max { undecided = (number, entry.waiting) }
        }
        return undecided.map { .wait($0.number) }
    }

    /// What is to be looked at before a create of that content is judged.
    struct Doubts {
        /// The entries whose clients wait for their answers: the same content may have come again before it was known that
        /// one of them has left. None where the content was read lately, and so is sent on purpose.
        var others: [Int] = []
        /// Whether it was read lately: then the create itself may have taken longer to get here than the one that was sent
        /// after it.
        var wasRead = false
    }

    func doubts(_ key: ResendKey, now: MonotonicTime) -> Doubts {
        if repeated.last(of: key, now: now) != nil { return Doubts(wasRead: true) }
        return Doubts(others: groups[key]?.numbers.filter { entries[$0]?.isOpen == false } ?? [])
    }

    /// Whether it is not known yet what the create of an entry comes to.
    func isAtWork(_ number: Int) -> Bool { entries[number]?.isAtWork ?? false }

    /// Somebody begins, or ceases, to wait for an entry to change.
    mutating func wait(for number: Int, _ change: Int) { entries[number]?.waiting += change }

    /// Takes up a create that a server before this one has left unread.
    mutating func restore(_ key: ResendKey, _ task: TaskID, until time: MonotonicTime) {
        add(Entry(key: key, task: task, isAtWork: false))
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

    /// The client of an entry's answer has ended its side: it may have left.
    mutating func left(_ number: Int) { update(number) { $0.reader?.hasLeft = true } }

    /// The client of an entry's answer cannot have read it.
    mutating func lost(_ number: Int, now: MonotonicTime) { leaveUnread(number, now) }

    /// The client's system has the answer.
    mutating func read(_ number: Int, now: MonotonicTime) {
        guard let entry = entries[number] else { return }
        if entry.invitesRetry { return leaveUnread(number, now) }
        repeated.insert(entry.key, RecentKeys.Told(task: entry.task, madeAt: entry.madeAt), now: now)
        remove(number)
    }

    /// The create has come to something: there is a task, or may be one.
    mutating func made(_ number: Int, now: MonotonicTime) {
        entries[number]?.isAtWork = false
        entries[number]?.madeAt = now
    }

    /// The create has come to nothing.
    mutating func madeNothing(_ number: Int) { remove(number) }

    /// What was attached to had made nothing: the request makes a task of its own, under the same entry.
    mutating func makeAnew(_ number: Int, makeID: () -> TaskID) -> TaskID? {
        guard entries[number] != nil else { return nil }
        let task = makeID()
        update(number) { ($0.task, $0.isAtWork) = (task, true) }
        return task
    }

    /// The answer that is about to be sent asks its client to come back.
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
        if ends.count > 4 * capacity { (ends, firstEnd) = (ends[firstEnd...].filter(isMeant), 0) }
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
        if isMeant(ends[firstEnd]) { remove(ends[firstEnd].number) }
        firstEnd += 1
    }

    /// Whether an end still is one: nobody has attached to the entry since.
    private func isMeant(_ end: (number: Int, at: MonotonicTime)) -> Bool {
        guard let entry = entries[end.number] else { return false }
        return entry.reader == nil && entry.expiresAt == end.at
    }

    private mutating func remove(_ number: Int) {
        guard let entry = entries.removeValue(forKey: number), var group = groups.removeValue(forKey: entry.key) else {
            return
        }
        group.numbers.removeAll { $0 == number }
        if entry.isOpen { group.open -= 1 }
        if !group.numbers.isEmpty { groups[entry.key] = group }
    }
}

/// The content whose answer was read lately, and its task: of two generations the older is dropped when the younger is full, or old.
struct RecentKeys: Sendable {
    private static let capacity = 1024
    private static let life = Duration.seconds(10)

    /// What a client was told.
    struct Told: Sendable {
        let task: TaskID
        /// When the task existed; nil if that is unknown.
        let madeAt: MonotonicTime?
    }

    private var young: [ResendKey: Told] = [:]
    private var old: [ResendKey: Told] = [:]
    private var turnsAt: MonotonicTime?

    mutating func insert(_ key: ResendKey, _ told: Told, now: MonotonicTime) {
        if young.count >= Self.capacity || turnsAt.map({ $0 <= now }) ?? true {
            (old, young, turnsAt) = (young, [:], now + Self.life)
        }
        young[key] = told
    }

    /// The last answer to that content.
    func last(of key: ResendKey, now: MonotonicTime) -> Told? {
        guard let turnsAt, now < turnsAt + Self.life else { return nil }
        return young[key] ?? old[key]
    }
}
