internal import Base

/// Accepted connections that wait until others are closed: events in, actions out, no I/O.
///
/// Only one round of closing is in progress at a time; a connection that arrives meanwhile waits for its end. After a
/// round that closed nothing, no round starts for a moment: a busy server does not search for idle connections all the
/// time.
struct WaitingRoom<Guest> {
    enum Action: Equatable {
        /// The guest waits for the round in progress.
        case wait
        /// The guest waits; start a round and report ``roundEnded(closed:at:)``.
        case makeRoom
        /// There is no room: turn the guest away.
        case refuse
    }

    private var guests: [Guest] = []
    private var isMakingRoom = false
    private var restsUntil: MonotonicTime?
    private let capacity: Int

    /// - Parameter capacity: how many guests may wait; further ones are turned away.
    init(capacity: Int) { self.capacity = capacity }

    /// The pause after a round that closed nothing.
    static var rest: Duration { .milliseconds(100) }

    /// How many guests wait.
    var count: Int { guests.count }
    /// Whether no other guest can wait, until the round in progress ends.
    var isFull: Bool { guests.count >= capacity }

    /// Handles a guest that arrived when the server was full.
    mutating func enter(_ guest: Guest, at now: MonotonicTime) -> Action {
        if let restsUntil, now < restsUntil { return .refuse }
        guard !isFull else { return .refuse }
        guests.append(guest)
        if isMakingRoom { return .wait }
        isMakingRoom = true
        return .makeRoom
    }

    /// Ends a round that closed this many connections.
    /// - Returns: the guests that waited, in the order in which they came; those that find no place may enter again.
    mutating func roundEnded(closed: Int, at now: MonotonicTime) -> [Guest] {
        isMakingRoom = false
        restsUntil = closed == 0 ? now + Self.rest : nil
        return leave()
    }

    /// Removes and returns all guests.
    mutating func leave() -> [Guest] {
        defer { guests = [] }
        return guests
    }
}

/// How many accepted connections may wait in addition to those that are admitted.
enum WaitingPlaces {
    static let most = 64

    /// Few if the limit is low: waiting connections take descriptors, too.
    static func count(besides connections: Int) -> Int { min(most, connections / 8 + 1) }
}
