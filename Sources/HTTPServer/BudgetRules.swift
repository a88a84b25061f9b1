/// Decides which requests get bytes of a budget, and when. No waiting, no threads.
struct BudgetRules {
    enum Answer: Hashable { case granted, queued, impossible }

    private struct Request {
        let ticket: Int
        let count: Int
        let owner: String
        let isAdditional: Bool
    }

    private let capacity: Int
    private let share: Int
    private(set) var used = 0
    private var usedByOwner: [String: Int] = [:]
    private var queue: [Request] = []
    private var lastTicket = 0

    init(capacity: Int, share: Int) {
        self.capacity = capacity
        self.share = share
    }

    /// Makes an identifier for a request that may have to wait.
    mutating func makeTicket() -> Int {
        lastTicket += 1
        return lastTicket
    }

    /// Grants the bytes, or queues the request.
    /// - Parameter isAdditional: whether the owner already holds bytes that it only releases after it gets these.
    mutating func ask(for count: Int, owner: String, ticket: Int, isAdditional: Bool = false) -> Answer {
        if count > share { return .impossible }
        queue.append(Request(ticket: ticket, count: count, owner: owner, isAdditional: isAdditional))
        return serve().contains(ticket) ? .granted : .queued
    }

    /// Removes a request from the queue, if it is still there.
    /// - Returns: the tickets of the requests that are granted as a result.
    mutating func leave(_ ticket: Int) -> [Int] {
        queue.removeAll { $0.ticket == ticket }
        return serve()
    }

    /// Returns bytes to the budget.
    /// - Returns: the tickets of the requests that are granted as a result.
    mutating func giveBack(_ count: Int, owner: String) -> [Int] {
        used -= count
        let rest = usedByOwner[owner, default: 0] - count
        usedByOwner[owner] = rest > 0 ? rest : nil
        return serve()
    }

    /// Grants queued requests in order. A request that waits for free capacity holds up all requests behind it; one
    /// that waits for its owner's share holds up none. Bytes that no such request waits for go to requests with
    /// `isAdditional`, which could otherwise wait for bytes that their owner itself holds.
    private mutating func serve() -> [Int] {
        var served: [Int] = []
        var isHeldUp = false
        for goesBeyondShare in [false, true] {
            queue.removeAll { request in
                let isInShare = usedByOwner[request.owner, default: 0] + request.count <= share
                if isHeldUp || !(isInShare || goesBeyondShare && request.isAdditional) { return false }
                if used + request.count > capacity {
                    isHeldUp = true
                    return false
                }
                used += request.count
                usedByOwner[request.owner, default: 0] += request.count
                served.append(request.ticket)
                return true
            }
        }
        return served
    }
}
