/// Who gets bytes of a budget, and when. No waiting, no threads.
struct BudgetRules {
    enum Answer: Hashable { case granted, queued, impossible }

    private struct Request {
        let ticket: Int
        let count: Int
        let owner: String
        let isBeside: Bool
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

    /// A name for a request that may have to wait.
    mutating func makeTicket() -> Int {
        lastTicket += 1
        return lastTicket
    }

    /// Grants the bytes, or puts the request behind those that wait.
    /// - Parameter isBeside: whether the owner holds something already that it lets go of only if it gets this.
    mutating func ask(for count: Int, owner: String, ticket: Int, isBeside: Bool = false) -> Answer {
        if count > share { return .impossible }
        queue.append(Request(ticket: ticket, count: count, owner: owner, isBeside: isBeside))
        return serve().contains(ticket) ? .granted : .queued
    }

    /// Takes a request out of the queue, if it is still there.
    /// - Returns: whose turn has come by that.
    mutating func leave(_ ticket: Int) -> [Int] {
        queue.removeAll { $0.ticket == ticket }
        return serve()
    }

    /// Takes bytes back.
    /// - Returns: whose turn has come by that.
    mutating func giveBack(_ count: Int, owner: String) -> [Int] {
        used -= count
        let rest = usedByOwner[owner, default: 0] - count
        usedByOwner[owner] = rest > 0 ? rest : nil
        return serve()
    }

    /// Grants in order. Who waits for the whole budget holds up all behind; who waits for an owner's share, nobody. What
    /// nobody waits for is theirs who would wait for themselves.
    private mutating func serve() -> [Int] {
        var served: [Int] = []
        var isHeldUp = false
        for goesBeyondShare in [false, true] {
            queue.removeAll { request in
                let isInShare = usedByOwner[request.owner, default: 0] + request.count <= share
                if isHeldUp || !(isInShare || goesBeyondShare && request.isBeside) { return false }
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
