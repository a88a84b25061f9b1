internal import Base

/// What is known of a watched task. All of them are in memory for as long as Kling works on them, so it is small and
/// has no references.
struct Watch: Sendable {
    /// Kling's id, as ``UpstreamIDs`` has it.
    var upstreamID: UInt64 = 0
    /// When Kling accepted it, or last said something new before it was watched.
    let since: MonotonicTime
    /// When Kling last reported it.
    var knownAt: MonotonicTime
    /// The bucket of the time at which it is due, if it is not due yet.
    var bucket: UInt32 = 0
    /// The list that it is in.
    var list = WatchList.none
    var marks: Marks

    /// What is true of it.
    struct Marks: OptionSet {
        let rawValue: UInt8

        /// Something waits for its end.
        static let awaited = Marks(rawValue: 1)
        /// It is being queried.
        static let reading = Marks(rawValue: 2)
        /// It must be checked again after the call in flight.
        static let hinted = Marks(rawValue: 4)
        /// The first pages of the account's list don't have it.
        static let deep = Marks(rawValue: 8)
        /// The operator has been told that it is stuck.
        static let stuck = Marks(rawValue: 16)
    }

    /// Whether its pause is over, or something has hinted at it, and no check of it has ended since.
    var isDue: Bool { list != .bucket }
}

/// Where a watched task waits. It is in one list at a time.
enum WatchList: UInt8 {
    /// In the bucket of its due time.
    case bucket
    /// Due, and a list call may return it.
    case listable
    /// Due, and to be queried: something waits for it.
    case awaited
    /// Due, and to be queried: nothing waits for it.
    case unawaited
    /// Due, and on no page so far of the lists that are being read: something waits for it.
    case unlistedAwaited
    /// The same, and nothing waits for it.
    case unlisted
    /// Due, and in no list: it is being queried, or about to be put into a list.
    case none
}
