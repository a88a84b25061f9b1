internal import Base
internal import Glibc

/// A folder whose files are written completely or not at all. It is held open, and locked for this process until it is
/// released. Its functions block on the disk.
///
/// While a file is written, it has the name of its draft. Files that no caller names are never touched.
final class DurableFolder: Sendable {
    /// How many slices `writev` accepts at once: `IOV_MAX`.
    private static let mostPieces = 1024

    let path: String
    /// What the folder is for, as one word for the operator, such as `spool`.
    private let purpose: String
    private let folder: Int32
    private let lock: FolderLock

    /// Opens the folder, and creates it (mode 0700) if it doesn't exist.
    /// - Parameters:
    ///   - purpose: what the folder is for, as one word for the operator.
    ///   - advice: what the operator can do if the folder can't be created.
    ///   - inUseAdvice: how to give each gateway its own folder, if another one uses this one.
    /// - Throws: `inUse` if another gateway uses the folder.
    init(_ path: String, purpose: String, advice: String, inUseAdvice: String) throws(SpoolError) {
        self.path = path
        self.purpose = purpose
        do {
            try Self.make(path, purpose)
        } catch {
            throw SpoolError(error.code, "\(error.detail). \(advice)")
        }
        let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SpoolError("cannot open the \(purpose) folder", path, errno: errno) }
        do throws(SpoolError) {
            guard unsafe faccessat(descriptor, ".", R_OK | W_OK | X_OK, 0) == 0 else {
                throw SpoolError("cannot write to the \(purpose) folder", path, errno: errno)
            }
            lock = try FolderLock(in: descriptor, path, purpose: purpose, advice: inUseAdvice)
        } catch {
            close(descriptor)
            throw error
        }
        folder = descriptor
    }

    deinit { close(folder) }

    /// Writes a file. When this returns, the complete file is on disk under its name. The slices are not copied.
    func write(_ name: String, _ body: [ByteSlice], draft: String) throws(SpoolError) {
        do throws(SpoolError) {
            try write(body, to: draft)
            guard unsafe renameat(folder, draft, folder, name) == 0 else { throw failure("cannot rename", draft) }
            guard fsync(folder) == 0 else {
                throw SpoolError("cannot sync the \(purpose) folder", path, errno: errno)
            }
        } catch {
            unsafe unlinkat(folder, draft, 0)
            unsafe unlinkat(folder, name, 0)
            throw error
        }
    }

    /// Reads a file into one block of memory.
    /// - Parameter holding: released together with the block.
    func read(_ name: String, holding: (any Sendable)? = nil) throws(SpoolError) -> Bytes {
        let file = unsafe openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { throw failure("cannot open", name) }
        defer { close(file) }
        let size = try size(of: name)
        guard let block = Bytes(reserving: size, onRelease: { withExtendedLifetime(holding) {} }) else {
            throw SpoolError("no memory to read", "\(path)/\(name)", errno: ENOMEM)
        }
        while block.count < block.capacity {
            var code: Int32 = 0
            let before = block.count
            // The block lends the free room after its bytes; no more than the size of that room is read into it.
            unsafe block.append { room in
                let count = unsafe Self.readSome(file, room)
                code = count < 0 ? errno : 0
                return max(0, count)
            }
            if code == EINTR { continue }
            guard code == 0 else { throw SpoolError("cannot read", "\(path)/\(name)", errno: code) }
            guard block.count > before else { throw SpoolError(.unavailable, "\(path)/\(name) has become shorter") }
        }
        return block
    }

    /// Removes a file, if it exists. The removal need not be durable: leftovers are removed at the next start.
    func remove(_ name: String) throws(SpoolError) {
        guard unsafe unlinkat(folder, name, 0) == 0 || errno == ENOENT else { throw failure("cannot remove", name) }
    }

    private func failure(_ what: String, _ name: String) -> SpoolError {
        SpoolError(what, "\(path)/\(name)", errno: errno)
    }

    /// The size of a file, in bytes.
    func size(of name: String) throws(SpoolError) -> Int {
        var status = stat()
        guard unsafe fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
            throw failure("cannot inspect", name)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw SpoolError(.unavailable, "\(path)/\(name) is not a file")
        }
        return Int(status.st_size)
    }

    /// The names of everything in the folder.
    func names() throws(SpoolError) -> [String] {
        // A separate descriptor: `closedir` closes it, and its position in the folder is not shared.
        let descriptor = unsafe openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0, let directory = unsafe fdopendir(descriptor) else {
            throw SpoolError("cannot list the \(purpose) folder", path, errno: errno)
        }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        // An entry is valid until the next is read; its name ends with a NUL within `d_name`.
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { unsafe Array($0.prefix { $0 != 0 }) }
            names.append(String(decoding: name, as: UTF8.self))
        }
        return names
    }
}

// MARK: Writing

extension DurableFolder {
    private func write(_ body: [ByteSlice], to name: String) throws(SpoolError) {
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW
        let file = unsafe openat(folder, name, flags, 0o600)
        guard file >= 0 else { throw failure("cannot create", name) }
        defer { close(file) }
        guard Self.gather(body, file), fsync(file) == 0 else { throw failure("cannot write", name) }
    }

    /// Writes the slices without copying them (`writev`).
    /// - Returns: false, with `errno` set, if that fails.
    private static func gather(_ body: [ByteSlice], _ file: Int32) -> Bool {
        // The pointers are valid as long as the blocks live, which is until after the last write.
        withExtendedLifetime(body) {
            var pieces = unsafe body.filter { $0.count > 0 }.map { slice in
                unsafe slice.withUnsafeBytes { bytes in
                    unsafe iovec(iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count)
                }
            }
            var first = 0
            while unsafe first < pieces.count {
                let count = unsafe min(pieces.count - first, mostPieces)
                // `first + count` is within the array, which lends its own memory.
                var written = unsafe pieces.withUnsafeBufferPointer { all in
                    unsafe writev(file, all.baseAddress.map { unsafe $0 + first }, Int32(count))
                }
                if written < 0, errno == EINTR { continue }
                guard written >= 0 else { return false }
                while unsafe first < pieces.count, unsafe written >= pieces[first].iov_len {
                    unsafe written -= pieces[first].iov_len
                    first += 1
                }
                guard written > 0 else { continue }
                unsafe pieces[first].iov_base = unsafe pieces[first].iov_base.map { unsafe $0 + written }
                unsafe pieces[first].iov_len -= written
            }
            return true
        }
    }

    @unsafe private static func readSome(_ file: Int32, _ room: UnsafeMutableRawBufferPointer) -> Int {
        unsafe Glibc.read(file, room.baseAddress, room.count)
    }
}

// MARK: Creating

extension DurableFolder {
    /// Creates the folder and its missing parents.
    private static func make(_ path: String, _ purpose: String) throws(SpoolError) {
        if unsafe mkdir(path, 0o700) != 0 {
            switch errno {
            case EEXIST: return
            case ENOENT where path.contains("/"):
                try make(parent(of: path), purpose)
                guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else { throw cannotMake(path, purpose) }
            default: throw cannotMake(path, purpose)
            }
        }
        try sync(parent(of: path))
    }

    private static func cannotMake(_ path: String, _ purpose: String) -> SpoolError {
        SpoolError("cannot create the \(purpose) folder", path, errno: errno)
    }

    /// Makes sure that new entries of a folder survive a crash.
    static func sync(_ path: String) throws(SpoolError) {
        let folder = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw SpoolError("cannot open", path, errno: errno) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw SpoolError("cannot sync", path, errno: errno) }
    }

    static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
