/// The watchers of a connection's answers, until they are told whether their answer has arrived.
///
/// Only the connection calls them, never this type: a watcher may call back into the connection.
struct Receipts {
    /// The watcher of the answer in progress.
    private(set) var watcher: (any AnswerWatcher)?
    /// The watchers of answers that were written but are not acknowledged yet.
    private(set) var pending: [any AnswerWatcher] = []
    /// The connection's place among those of its loop that wait for an acknowledgement.
    var place: Int?

    /// How long a client that has closed its side may take to acknowledge the last answer.
    static let patience = Duration.seconds(2)

    /// Whether the answer in progress is watched.
    var isWatched: Bool { watcher != nil }

    /// Sets the watcher of the answer in progress.
    mutating func watch(_ watcher: any AnswerWatcher) { self.watcher = watcher }

    /// Removes and returns the watcher of the answer in progress.
    mutating func takeWatcher() -> (any AnswerWatcher)? { watcher.take() }

    /// Records that the answer in progress was handed to the system.
    /// - Returns: whether its acknowledgement is awaited.
    mutating func answerWasWritten() -> Bool {
        guard let watcher = watcher.take() else { return false }
        pending.append(watcher)
        return true
    }

    /// Drops the pending watchers, which were told.
    mutating func clear() { pending.removeAll(keepingCapacity: true) }
}
