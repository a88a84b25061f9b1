internal import Base

/// Accepted connections for which others have to be closed first: events in, actions out, no I/O.
///
/// One round of closing is under way at a time; who comes meanwhile waits for its end. After a round that found nobody
/// to close, rounds rest for a moment: a server full of work is not made to look for idle connections all the time.
struct WaitingRoom<Guest> {
    enum Action: Equatable {
        /// The guest waits for the round that is under way.
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

    /// - Parameter capacity: the most that wait; whoever comes then is turned away.
    init(capacity: Int) { self.capacity = capacity }

    /// How long rounds rest after one that closed nothing.
    static var rest: Duration { .milliseconds(100) }

    /// How many wait.
    var count: Int { guests.count }
    /// Whether nobody else can wait. It ends with the round that is under way.
    var isFull: Bool { guests.count >= capacity }

    /// Somebody came when all places were taken.
    mutating func enter(_ guest: Guest, at now: MonotonicTime) -> Action {
        if let restsUntil, now < restsUntil { return .refuse }
        guard !isFull else { return .refuse }
        guests.append(guest)
        if isMakingRoom { return .wait }
        isMakingRoom = true
        return .makeRoom
    }

    /// A round has closed this many.
    /// - Returns: who waited, in the order in which they came; those who find no place may enter again.
    mutating func roundEnded(closed: Int, at now: MonotonicTime) -> [Guest] {
        isMakingRoom = false
        restsUntil = closed == 0 ? now + Self.rest : nil
        return leave()
    }

    /// The server stops.
    mutating func leave() -> [Guest] {
        defer { guests = [] }
        return guests
    }
}

/// How many accepted connections may wait beside those that are let in.
enum WaitingPlaces {
    static let most = 64

    /// Few beside few: they take descriptors, too.
    static func count(besides connections: Int) -> Int { min(most, connections / 8 + 1) }
}
