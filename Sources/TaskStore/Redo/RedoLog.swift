internal import Dispatch

/// The redo log of the process that serves: what was written since the database was last synced.
final class RedoLog: @unchecked Sendable {
    // @unchecked: it is handed from the thread that opens the store to the one that writes, and only that thread uses it
    // from then on.

    private let file: RedoFile
    private let identity: Int64
    /// The number of the last frame. Numbers ascend over all uses of the file.
    private(set) var sequence: Int64
    private let limit: Int

    /// - Parameters:
    ///   - mark: what the database says of the log.
    ///   - limit: the size from which the log should be restarted, in bytes.
    init(_ file: RedoFile, _ mark: RedoMark, limit: Int) {
        (self.file, self.limit, identity, sequence) = (file, limit, mark.identity, mark.applied)
    }

    /// Whether the database has everything, on disk.
    var isEmpty: Bool { file.length == 0 }
    /// Whether it is time to restart the log.
    var isLong: Bool { file.length > limit }

    /// Writes what the recorder has collected, as one frame, and starts its next one.
    /// - Parameter isSynced: whether it must survive a power cut, as must everything before it.
    func write(_ recorder: RedoRecorder, isSynced: Bool) throws(StoreError) {
        if recorder.isEmpty { return isSynced ? try syncIfNeeded() : () }
        recorder.seal(sequence: sequence + 1, identity: identity)
        try file.append(recorder.frame)
        do throws(StoreError) {
            if isSynced { try file.sync() }
        } catch {
            file.drop(last: recorder.frame)
            throw error
        }
        sequence += 1
        recorder.next()
    }

    /// Makes every frame survive a power cut.
    func syncIfNeeded() throws(StoreError) { if unsyncedSince != nil { try file.sync() } }

    /// When the first frame was written that might not survive a power cut; nil: all would.
    var unsyncedSince: DispatchTime? { file.unsyncedSince }

    /// The frames since the log was restarted.
    func frames() throws(StoreError) -> [RedoFrame] {
        RedoFrame.frames(in: try file.read(all: false), identity: identity)
    }

    /// Continues at the start of the file. The database has everything, on disk.
    func restart() { file.restart() }

    /// Removes the file, after ``restart()``.
    func remove() { file.remove() }

    /// How errors name the log.
    var path: String { file.path }
}

/// What the database says of its redo log.
struct RedoMark {
    /// Tells the log of this store from another's.
    let identity: Int64
    /// The number of the last frame that the tables contain.
    let applied: Int64
}
