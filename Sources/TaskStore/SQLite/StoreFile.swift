internal import GRDB
internal import Glibc

/// The database file and the folder around it.
enum StoreFile {
    /// Creates the folder (mode 0700) and the file (mode 0600) if they do not exist.
    /// - Throws: `readOnly` or `unavailable`, naming the path at fault.
    static func prepare(_ path: String) throws(StoreError) {
        try makeFolder(folder(of: path))
        // The file is opened only to create it: closing another descriptor of an existing file would drop SQLite's
        // locks.
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor >= 0 {
            close(descriptor)
        } else if errno != EEXIST {
            throw failure("cannot create the store", path, errno)
        }
        guard unsafe access(path, R_OK | W_OK) == 0 else { throw failure("cannot write to the store", path, errno) }
        let folder = folder(of: path)
        guard unsafe access(folder, W_OK | X_OK) == 0 else {
            throw failure("cannot write to the store's folder", folder, errno)
        }
    }

    /// Checks that the disk has room. A small write to the log proves nothing, because it may reuse space that the log
    /// has.
    /// - Throws: `full`, `readOnly` or `unavailable`, naming the path.
    static func checkFreeSpace(beside path: String) throws(StoreError) {
        let probe = path + ".probe"
        let descriptor = unsafe open(probe, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("cannot create", probe, errno) }
        defer { close(descriptor) }
        unsafe unlink(probe)
        let bytes = [UInt8](repeating: 0x55, count: probeBytes)
        let count = unsafe write(descriptor, bytes, bytes.count)
        if count == bytes.count { return }
        // A short write means that the disk is full.
        throw failure("no room for another \(probeBytes) bytes beside", path, count < 0 ? errno : ENOSPC)
    }

    /// Makes the names in the folder of the file at `path` survive a power cut.
    static func syncFolder(of path: String) throws(StoreError) {
        let folder = folder(of: path)
        let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("cannot open the store's folder", folder, errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("cannot sync the store's folder", folder, errno) }
    }

    private static let probeBytes = 64 << 10

    /// Makes a store error from a system error about `path`.
    static func failure(_ what: String, _ path: String, _ code: Int32) -> StoreError {
        let reason = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "errno \(code)"
        let isReadOnly = code == EACCES || code == EPERM || code == EROFS
        return StoreError(isReadOnly ? .readOnly : code == ENOSPC ? .full : .unavailable, "\(what) \(path): \(reason)")
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func makeFolder(_ folder: String) throws(StoreError) {
        if unsafe mkdir(folder, 0o700) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, folder.contains("/") else {
            throw failure("cannot create the store's folder", folder, errno)
        }
        try makeFolder(self.folder(of: folder))
        guard unsafe mkdir(folder, 0o700) == 0 || errno == EEXIST else {
            throw failure("cannot create the store's folder", folder, errno)
        }
    }
}

/// The right to serve from a store. One process at a time holds it, until it exits or releases the lock.
///
/// Commands that only read, or that change keys, do not need it.
public final class ServeLock: Sendable {
    private let descriptor: Int32

    /// Takes the lock beside the store at `path`.
    /// - Throws: `alreadyServed`, or the error that kept the lock file from being opened or locked, naming the file.
    public init(store path: String) throws(StoreError) {
        try StoreFile.prepare(path)
        let lock = path + ".lock"
        let file = unsafe open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw StoreFile.failure("cannot open the lock", lock, errno) }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(file)
            guard code == EWOULDBLOCK else { throw StoreFile.failure("cannot lock", lock, code) }
            throw StoreError(.alreadyServed, "another kling-gateway serves from this store: it holds the lock \(lock)")
        }
        // Set last: a throw after this would run `deinit` too, and closing a descriptor twice may close another file.
        descriptor = file
    }

    deinit { close(descriptor) }
}
