internal import Base

/// The calls of a pool that wait for a connection. Fair: a connection goes to the call that has waited for longest, of
/// those that can use it. Loop-confined.
struct CallQueue {
    /// The destinations with waiting calls, and perhaps some without.
    private var destinations: [Destination] = []
    private var lastTicket: UInt64 = 0
    /// How many calls wait.
    private(set) var count = 0

    /// How many calls may wait.
    private static let maximum = 16_384

    var isFull: Bool { count >= Self.maximum }

    /// Adds a call at the end.
    mutating func add(_ call: HTTP1Call) {
        let destination = call.route.destination
        if !destinations.contains(where: { $0 === destination }) { destinations.append(destination) }
        lastTicket += 1
        destination.wait(call, ticket: lastTicket)
        count += 1
    }

    /// Takes the first call that can use a connection to `destination`.
    mutating func take(for connection: HTTP1Connection) -> HTTP1Call? {
        guard count > 0, let call = connection.destination.takeWaiting(for: connection.peer) else { return nil }
        count -= 1
        return call
    }

    /// Takes the first call whose destination may get another connection.
    /// - Parameter limit: how many connections a destination may have.
    mutating func takeFirst(below limit: Int) -> HTTP1Call? {
        guard let call = first(below: limit)?.takeWaiting() else { return nil }
        count -= 1
        return call
    }

    /// Whether a call waits that another connection in all would help.
    /// - Parameter closing: the destination that would lose one.
    mutating func hasCall(below limit: Int, closing: Destination) -> Bool {
        count > 0 && (closing.firstTicket != nil || first(below: limit) != nil)
    }

    /// Notes that a waiting call has ended.
    mutating func ended(_ call: HTTP1Call) {
        count -= 1
        call.route.destination.waitingCallEnded()
    }

    private mutating func first(below limit: Int) -> Destination? {
        if count == 0 {
            destinations = []
            return nil
        }
        destinations.removeAll { $0.firstTicket == nil }
        return destinations.filter { $0.connections < limit }
            .min { ($0.firstTicket ?? .max) < ($1.firstTicket ?? .max) }
    }
}
