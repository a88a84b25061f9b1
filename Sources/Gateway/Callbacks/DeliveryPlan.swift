internal import Base
internal import KlingAPI
internal import TaskStore

/// Decides which deliveries may be sent now. A value: due deliveries and ended attempts in, attempts to start out.
///
/// Receivers, tenants and DNS lookups have limits of their own, so that a slow receiver or tenant fills only its own
/// share. Within these limits, receivers take turns. A named host that has not answered recently gets one attempt at a
/// time. Deliveries that must wait for their receiver are kept, a few for each; the rest are read again later. `now` is
/// in milliseconds on the monotonic clock.
struct DeliveryPlan {
    /// How many attempts may be in flight.
    struct Limits {
        var overall = 128
        var perReceiver = 10
        var perTenant = 32
        /// How many hosts may be looked up at once.
        var lookups = 32
        var lookupsPerTenant = 4
        /// How many deliveries of a tenant to one receiver are kept waiting in memory.
        var waiting = 32
        /// How many receivers and hosts are remembered.
        var remembered = 65_536
        /// How long a host that has answered needs no new DNS lookup, in milliseconds: less than `HTTPClient` caches
        /// its address.
        var nameLife: Int64 = 50_000
    }

    /// What shares a connection pool and a limit: scheme, host and port.
    struct Receiver: Hashable {
        let isSecure: Bool
        let host: String
        let port: Int

        /// The receiver of a URL. An invalid URL gets a receiver of its own, whose attempts fail.
        init(_ text: String) {
            let url = try? HTTPURL(text)
            isSecure = url?.isSecure ?? false
            host = url?.host ?? text
            port = url?.port ?? 0
        }

        /// Whether its host is a name, which needs a DNS lookup.
        var isNamed: Bool { IPAddress(host) == nil }
    }

    /// Deliveries of one tenant to one receiver.
    private struct Lane: Hashable {
        let receiver: Receiver
        let tenant: String
    }

    private struct Running {
        let task: TaskID
        let lane: Lane
        let isLookup: Bool
    }

    let limits: Limits
    /// Where the next read of the outbox continues.
    private(set) var position = OutboxPosition()
    /// How many deliveries the last read found due.
    private(set) var due = 0

    private var running: [String: Running] = [:]
    private var waiting: [Lane: [DeliveryRecord]] = [:]
    private var busyTasks: Set<TaskID> = []
    private var perReceiver: [Receiver: Int] = [:]
    private var perTenant: [String: Int] = [:]
    private var lookups: HostLookups
    private var turns = ReceiverTurns()

    init(_ limits: Limits = Limits()) {
        self.limits = limits
        lookups = HostLookups(limits)
    }

    /// How many attempts are in flight.
    var runningCount: Int { running.count }
    /// Whether to read on at once, because deliveries that were not read yet may be able to start.
    var wantsMore: Bool { position.tenant != nil && running.count < limits.overall }

    /// How much to read from the outbox.
    /// - Parameter held: how many tasks have their deliveries on hold. These may come before others in the outbox.
    func bounds(held: Int) -> OutboxBounds {
        var bounds = OutboxBounds()
        bounds.each = limits.waiting + min(held, bounds.rows)
        return bounds
    }

    /// Replaces the known due deliveries with those just read.
    /// - Parameter held: tasks whose deliveries are on hold.
    /// - Returns: the attempts to start.
    mutating func take(_ page: OutboxPage, held: Set<TaskID>, now: Int64) -> [DeliveryRecord] {
        position = page.next
        due = page.rows.count
        waiting = [:]
        for row in page.rows where !busyTasks.contains(row.task) && !held.contains(row.task) {
            let lane = Lane(receiver: Receiver(row.url), tenant: row.tenant)
            if waiting[lane, default: []].count < limits.waiting { waiting[lane, default: []].append(row) }
        }
        return begin(held: held, now: now)
    }

    /// Starts the attempts that are allowed. Receivers whose last turn is longest ago go first; at one receiver, the
    /// tenant whose next delivery has been due longest. Each starts as many as the limits allow.
    mutating func begin(held: Set<TaskID>, now: Int64) -> [DeliveryRecord] {
        var begun: [DeliveryRecord] = []
        for lane in lanesInTurn {
            while running.count < limits.overall, let next = waiting[lane]?.first {
                if !held.contains(next.task) {
                    guard mayBegin(lane, now) else { break }
                    note(next, lane, now)
                    begun.append(next)
                }
                waiting[lane]?.removeFirst()
            }
            if waiting[lane]?.isEmpty == true { waiting[lane] = nil }
        }
        return begun
    }

    private var lanesInTurn: [Lane] {
        waiting.map { lane, rows in
            (lane: lane, turn: turns.last(of: lane.receiver), due: rows.first?.nextAttemptAt ?? .max)
        }
        .sorted { ($0.turn, $0.due) < ($1.turn, $1.due) }
        .map(\.lane)
    }

    private func mayBegin(_ lane: Lane, _ now: Int64) -> Bool {
        guard perReceiver[lane.receiver, default: 0] < limits.perReceiver,
            perTenant[lane.tenant, default: 0] < limits.perTenant
        else { return false }
        return !lookups.areNeeded(for: lane.receiver, now) || lookups.mayBegin(lane.receiver, tenant: lane.tenant)
    }

    private mutating func note(_ record: DeliveryRecord, _ lane: Lane, _ now: Int64) {
        let isLookup = lookups.areNeeded(for: lane.receiver, now)
        running[record.id] = Running(task: record.task, lane: lane, isLookup: isLookup)
        busyTasks.insert(record.task)
        perReceiver[lane.receiver, default: 0] += 1
        perTenant[lane.tenant, default: 0] += 1
        if turns.count >= limits.remembered { turns.keep(Set(waiting.keys.map(\.receiver))) }
        turns.take(lane.receiver)
        if isLookup { lookups.begin(lane.receiver, tenant: lane.tenant) }
    }

    /// Records that an attempt has ended.
    /// - Parameter wasAnswered: whether the receiver answered, so that its host needs no DNS lookup for a while.
    /// - Returns: whether the store should be asked for more deliveries of this tenant to this receiver.
    mutating func ended(_ id: String, wasAnswered: Bool, now: Int64) -> Bool {
        guard let ended = running.removeValue(forKey: id) else { return false }
        busyTasks.remove(ended.task)
        perReceiver.decrement(ended.lane.receiver)
        perTenant.decrement(ended.lane.tenant)
        if ended.isLookup { lookups.end(ended.lane.receiver, tenant: ended.lane.tenant) }
        if wasAnswered { lookups.answered(ended.lane.receiver, now) }
        return waiting[ended.lane] == nil
    }
}

/// The number of each receiver's last turn.
private struct ReceiverTurns {
    private var turns: [DeliveryPlan.Receiver: Int] = [:]
    private var last = 0

    /// How many receivers are remembered.
    var count: Int { turns.count }

    /// The number of the receiver's last turn; 0 if it isn't remembered.
    func last(of receiver: DeliveryPlan.Receiver) -> Int { turns[receiver, default: 0] }

    mutating func take(_ receiver: DeliveryPlan.Receiver) {
        last += 1
        turns[receiver] = last
    }

    /// Forgets all other receivers.
    mutating func keep(_ receivers: Set<DeliveryPlan.Receiver>) {
        turns = turns.filter { receivers.contains($0.key) }
    }
}
