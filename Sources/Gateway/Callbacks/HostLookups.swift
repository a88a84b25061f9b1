/// Which attempts may need a DNS lookup, and how many of these may be in flight. Times are in milliseconds on the
/// monotonic clock.
struct HostLookups {
    private let limits: DeliveryPlan.Limits
    /// Hosts with an attempt in flight that may need a DNS lookup.
    private var inFlight: Set<String> = []
    private var perTenant: [String: Int] = [:]
    /// The time until which a host that has answered needs no new lookup.
    private var cachedUntil: [String: Int64] = [:]

    init(_ limits: DeliveryPlan.Limits) { self.limits = limits }

    /// Whether an attempt may need a lookup: the receiver's host is a name, and has not answered recently.
    func areNeeded(for receiver: DeliveryPlan.Receiver, _ now: Int64) -> Bool {
        receiver.isNamed && cachedUntil[receiver.host, default: 0] <= now
    }

    /// Whether an attempt that may need a lookup may begin.
    func mayBegin(_ receiver: DeliveryPlan.Receiver, tenant: String) -> Bool {
        !inFlight.contains(receiver.host) && inFlight.count < limits.lookups
            && perTenant[tenant, default: 0] < limits.lookupsPerTenant
    }

    /// Records the start of an attempt that may need a lookup.
    mutating func begin(_ receiver: DeliveryPlan.Receiver, tenant: String) {
        inFlight.insert(receiver.host)
        perTenant[tenant, default: 0] += 1
    }

    /// Records the end of an attempt that may have needed a lookup.
    mutating func end(_ receiver: DeliveryPlan.Receiver, tenant: String) {
        inFlight.remove(receiver.host)
        perTenant.decrement(tenant)
    }

    /// Records that a receiver has answered, so that its host needs no lookup for a while.
    mutating func answered(_ receiver: DeliveryPlan.Receiver, _ now: Int64) {
        guard receiver.isNamed else { return }
        if cachedUntil.count >= limits.remembered { cachedUntil = cachedUntil.filter { $0.value > now } }
        cachedUntil[receiver.host] = now + limits.nameLife
    }
}

extension Dictionary where Value == Int {
    /// Subtracts one from a count, and removes it at zero.
    mutating func decrement(_ key: Key) {
        self[key, default: 1] -= 1
        if self[key] == 0 { self[key] = nil }
    }
}
