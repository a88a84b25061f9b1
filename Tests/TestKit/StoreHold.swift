import Foundation

/// Keeps others from writing to a store, as a program with a long write does, by taking the lock of SQLite's log.
///
/// The write lock is byte 120 of the shared memory file beside the database ("WAL-mode file format", section 2.3.1).
public final class StoreHold: Sendable {
    private let descriptor: Int32
    private static let writeLock: off_t = 120

    /// Takes the lock.
    /// - Parameter database: the path of the database file.
    /// - Returns: nil if there is no log, or if another process is writing just now.
    public init?(database: String) {
        descriptor = open(database + "-shm", O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        guard Self.set(F_WRLCK, descriptor) else {
            close(descriptor)
            return nil
        }
    }

    /// Lets others write again.
    public func release() { _ = Self.set(F_UNLCK, descriptor) }

    private static func set<Kind: BinaryInteger>(_ kind: Kind, _ descriptor: Int32) -> Bool {
        var lock = flock()
        lock.l_type = Int16(kind)
        lock.l_whence = Int16(SEEK_SET)
        lock.l_start = writeLock
        lock.l_len = 1
        return fcntl(descriptor, F_SETLK, &lock) == 0
    }

    // Closing the file releases the lock. Nothing else in this process has the file open.
    deinit { close(descriptor) }
}
