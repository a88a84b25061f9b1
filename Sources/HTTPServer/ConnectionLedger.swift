internal import Base
internal import EventLoop

/// Counts connections, and decides which are admitted and to which loop. Can be used from any thread: one short locked
/// section per connection.
final class ConnectionLedger: Sendable {
    /// Why a connection is refused.
    enum Refusal: Error { case full, fullForAddress }

    fileprivate struct State {
        var perLoop: [Int]
        var perAddress: [SocketAddress: Int] = [:]
        var accepted = 0
        var refusedFull = 0
        var refusedForAddress = 0
        var closedForRoom = 0
        var waiters: [CheckedContinuation<Void, Never>] = []

        var open: Int { perLoop.reduce(0, +) }
    }

    private let state: Lock<State>
    let limit: Int
    private let limitPerAddress: Int

    init(loops: Int, limit: Int, limitPerAddress: Int) {
        state = Lock(State(perLoop: Array(repeating: 0, count: loops)))
        self.limit = limit
        self.limitPerAddress = limitPerAddress
    }

    /// Admits a connection.
    /// - Returns: the loop with the fewest connections.
    /// - Throws: `fullForAddress`, which is counted, or `full`, which ``giveUp()`` counts.
    func enter(_ peer: SocketAddress) throws(Refusal) -> Int {
        try state.withLock { state throws(Refusal) in
            if limit > 0, state.open >= limit { throw .full }
            if limitPerAddress > 0 {
                let key = peer.withoutPort
                if state.perAddress[key, default: 0] >= limitPerAddress {
                    state.refusedForAddress += 1
                    throw .fullForAddress
                }
                state.perAddress[key, default: 0] += 1
            }
            state.accepted += 1
            let least = state.perLoop.indices.min { state.perLoop[$0] < state.perLoop[$1] } ?? 0
            state.perLoop[least] += 1
            return least
        }
    }

    /// Counts a connection that was refused because no room was found or made for it.
    func giveUp() { state.withLock { $0.refusedFull += 1 } }

    /// Counts connections that were closed to make room for others.
    func closedForRoom(_ count: Int) { state.withLock { $0.closedForRoom += count } }

    /// Removes a connection that has closed.
    func leave(_ peer: SocketAddress, loop: Int) {
        let waiters = state.withLock { state in
            state.perLoop[loop] -= 1
            if limitPerAddress > 0 {
                let rest = state.perAddress[peer.withoutPort, default: 1] - 1
                state.perAddress[peer.withoutPort] = rest > 0 ? rest : nil
            }
            return state.open == 0 ? state.takeWaiters() : []
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns when no connection is open.
    func waitUntilEmpty() async {
        await withCheckedContinuation { waiter in
            let isEmpty = state.withLock { state in
                if state.open > 0 { state.waiters.append(waiter) }
                return state.open == 0
            }
            if isEmpty { waiter.resume() }
        }
    }

    /// The counts, except for the requests.
    var statistics: HTTPServerStatistics {
        state.withLock { state in
            HTTPServerStatistics(
                open: state.open, accepted: state.accepted, refusedFull: state.refusedFull,
                refusedForAddress: state.refusedForAddress, closedForRoom: state.closedForRoom)
        }
    }
}

extension ConnectionLedger.State {
    fileprivate mutating func takeWaiters() -> [CheckedContinuation<Void, Never>] {
        defer { waiters = [] }
        return waiters
    }
}
