internal import TaskStore

/// The creates that wait for a slot. Tenants take turns, and each tenant's creates wait in line.
///
/// A create that no account has room for lets creates with other needs pass.
struct RoomQueue: Sendable {
    /// A create that waits.
    struct Waiter: Sendable {
        let ticket: Int
        let task: TaskID
        let tenant: String
        let need: Need
    }

    /// What a create waits for. An account that has no room for one create has none for another with an equal need.
    struct Need: Sendable, Hashable {
        let model: String
        let excluding: Set<String>
    }

    private var lines: [String: [Waiter]] = [:]
    /// The tenants that have a line; the first is served next.
    private var turns: [String] = []
    private var needs: [Need: Int] = [:]
    private var lastTicket = 0

    /// How many creates wait.
    var count: Int { needs.values.reduce(0, +) }

    /// Whether no create waits.
    var isEmpty: Bool { turns.isEmpty }

    /// Makes an identifier for a create that may have to wait.
    mutating func makeTicket() -> Int {
        lastTicket += 1
        return lastTicket
    }

    /// Puts a create at the end of its tenant's line.
    mutating func join(_ waiter: Waiter) {
        if lines[waiter.tenant] == nil { turns.append(waiter.tenant) }
        lines[waiter.tenant, default: []].append(waiter)
        needs[waiter.need, default: 0] += 1
    }

    /// Removes a create, if it still waits.
    mutating func leave(_ ticket: Int, tenant: String) {
        guard let place = lines[tenant]?.firstIndex(where: { $0.ticket == ticket }) else { return }
        remove(place, of: tenant)
        if lines[tenant] == nil { turns.removeAll { $0 == tenant } }
    }

    /// Gives free slots to waiting creates until none are left.
    /// - Parameter serve: takes what a create needs; returns `nil` if it is not available.
    /// - Returns: the creates that were served, and what each got.
    mutating func serve<Served>(_ serve: (Waiter) -> Served?) -> [(waiter: Waiter, served: Served)] {
        var all: [(waiter: Waiter, served: Served)] = []
        var vain: Set<Need> = []
        var turn = 0
        while turn < turns.count, vain.count < needs.count {
            let tenant = turns[turn]
            guard let next = first(of: tenant, &vain, serve) else {
                turn += 1
                continue
            }
            all.append((remove(next.place, of: tenant), next.served))
            turns.remove(at: turn)
            if lines[tenant] != nil { turns.append(tenant) }
        }
        return all
    }

    private func first<Served>(
        of tenant: String, _ vain: inout Set<Need>, _ serve: (Waiter) -> Served?
    ) -> (place: Int, served: Served)? {
        for (place, waiter) in (lines[tenant] ?? []).enumerated() where !vain.contains(waiter.need) {
            if let served = serve(waiter) { return (place, served) }
            vain.insert(waiter.need)
        }
        return nil
    }

    @discardableResult private mutating func remove(_ place: Int, of tenant: String) -> Waiter {
        guard let waiter = lines[tenant]?.remove(at: place) else { preconditionFailure("a line without its waiter") }
        if lines[tenant]?.isEmpty == true { lines[tenant] = nil }
        if let count = needs[waiter.need] { needs[waiter.need] = count > 1 ? count - 1 : nil }
        return waiter
    }
}
