import Foundation
import TestKit

/// Keeps everybody else from writing to a store, as a program does that writes for long: the lock of SQLite's log.
///
/// The write lock is byte 120 of the shared memory file beside the database ("WAL-mode file format", section 2.3.1).
final class StoreHold: Sendable {
    private let descriptor: Int32
    private static let writeLock: off_t = 120

    /// Takes the lock.
    /// - Parameter database: the path of the database file.
    /// - Returns: nil if there is no log, or somebody is writing just now.
    init?(database: String) {
        descriptor = open(database + "-shm", O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        lock.l_start = Self.writeLock
        lock.l_len = 1
        guard fcntl(descriptor, F_SETLK, &lock) == 0 else {
            close(descriptor)
            return nil
        }
    }

    // The lock goes with the file. Nothing else of this process has it open.
    deinit { close(descriptor) }
}
