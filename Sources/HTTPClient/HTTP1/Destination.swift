internal import Base
internal import Sockets

/// One host, port and set of certificate authorities: its idle connections, and the calls that wait for one.
/// Loop-confined.
final class Destination {
    let origin: HTTP1Target.Origin
    /// How many connections there are, those that are being made included.
    var connections = 0
    private(set) var idle: [HTTP1Connection] = []
    private var waiting: [(ticket: UInt64, call: HTTP1Call)] = []
    /// How many of the waiting calls have ended since.
    private var gone = 0

    private var ticket: TLSTicket?
    private var context: TLSClientContext?

    init(_ origin: HTTP1Target.Origin) { self.origin = origin }

    /// Whether nothing depends on it.
    var isUnused: Bool { connections == 0 && waiting.count == gone }

    // MARK: TLS

    /// The TLS session to resume on a new connection. One that other certificate authorities have vouched for is not.
    func ticket(for context: TLSClientContext) -> TLSTicket? {
        if self.context !== context { (self.context, ticket) = (context, nil) }
        return ticket
    }

    /// Keeps the newest ticket.
    func keep(_ ticket: TLSTicket) { self.ticket = ticket }

    // MARK: Idle connections

    /// Keeps a connection for reuse.
    func keep(_ connection: HTTP1Connection) { idle.append(connection) }

    /// Takes the connection that was used last, of those to a permitted address.
    func takeIdle(_ policy: AddressPolicy) -> HTTP1Connection? {
        guard policy.isPublicOnly else { return idle.popLast() }
        guard let index = idle.lastIndex(where: { policy.permits($0.peer) }) else { return nil }
        return idle.remove(at: index)
    }

    /// Removes a connection that is about to be closed.
    func forget(_ connection: HTTP1Connection) { idle.removeAll { $0 === connection } }

    /// The connection that has been idle for longest.
    var oldestIdle: HTTP1Connection? { idle.first }

    // MARK: Waiting calls

    /// Adds a call at the end.
    /// - Parameter ticket: its place among the calls that wait for any destination.
    func wait(_ call: HTTP1Call, ticket: UInt64) {
        call.stage = .waiting
        waiting.append((ticket, call))
    }

    /// The place of the first waiting call; nil if none waits.
    var firstTicket: UInt64? {
        dropGone()
        return waiting.first?.ticket
    }

    /// Takes the first waiting call that may use a connection to `peer`, or any connection if that is nil.
    func takeWaiting(for peer: IPAddress? = nil) -> HTTP1Call? {
        dropGone()
        let index = waiting.firstIndex { entry in
            guard case .waiting = entry.call.stage else { return false }
            guard let peer else { return true }
            return !entry.call.needsNewConnection && entry.call.request.addressPolicy.permits(peer)
        }
        defer { dropGoneIfAlone() }
        return index.map { waiting.remove(at: $0).call }
    }

    /// Notes that a waiting call has ended. Its place is removed later, with others.
    func waitingCallEnded() {
        gone += 1
        dropGoneIfAlone()
        if gone > 64, gone * 2 > waiting.count { dropGone(all: true) }
    }

    /// Calls refer to their destination: those that have ended must not stay in it when nothing else happens here.
    private func dropGoneIfAlone() {
        if gone == waiting.count { (waiting, gone) = ([], 0) }
    }

    private func dropGone(all: Bool = false) {
        guard gone > 0 else { return }
        func isGone(_ call: HTTP1Call) -> Bool { if case .waiting = call.stage { false } else { true } }
        if all {
            waiting.removeAll { isGone($0.call) }
            gone = 0
        }
        while let first = waiting.first, isGone(first.call) {
            waiting.removeFirst()
            gone -= 1
        }
    }
}
