internal import Glibc

/// The exclusive right to use a folder: one process has it until the process ends or releases the lock.
final class FolderLock: Sendable {
    private static let name = ".lock"
    /// How often to try, 20 ms apart: the holder may be about to exit.
    private static let attempts = 25

    private let descriptor: Int32

    /// Acquires the lock in the folder at `path`.
    /// - Parameters:
    ///   - folder: the folder, open.
    ///   - purpose: what the folder is for, as one word for the operator.
    ///   - advice: how to give each gateway a folder of its own.
    /// - Throws: `inUse`, or why the lock can't be opened.
    init(in folder: Int32, _ path: String, purpose: String, advice: String) throws(SpoolError) {
        let lock = "\(path)/\(Self.name)"
        let file = unsafe openat(folder, Self.name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw SpoolError("cannot open the lock", lock, errno: errno) }
        var attempt = 1
        while flock(file, LOCK_EX | LOCK_NB) != 0 {
            let code = errno
            if code == EINTR { continue }
            if code == EWOULDBLOCK, attempt < Self.attempts {
                attempt += 1
                usleep(20_000)
                continue
            }
            close(file)
            guard code == EWOULDBLOCK else { throw SpoolError("cannot lock", lock, errno: code) }
            throw SpoolError(
                .inUse,
                "another kling-gateway uses the \(purpose) folder \(path): it holds the lock \(lock). \(advice)")
        }
        // Set last: an error thrown after this would also run `deinit`, and the second `close` could hit another file's
        // descriptor.
        descriptor = file
    }

    deinit { close(descriptor) }
}
