internal import Base
internal import TaskStore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The folder of the spool, held open. Its functions wait for the disk.
///
/// A body lies in `ID.json`; while it is written it is `ID.part`. Nothing else in the folder is touched.
final class SpoolFolder: Sendable {
    private static let suffix = ".json"
    private static let draftSuffix = ".part"
    /// What `writev` takes at once: `IOV_MAX`, which POSIX puts at 16 or more and Linux and macOS at this.
    private static let mostPieces = 1024

    let path: String
    private let folder: Int32

    /// Opens the folder, and makes it (mode 0700) if it isn't there.
    init(_ path: String) throws(SpoolError) {
        self.path = path
        try Self.make(path)
        let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SpoolError("cannot open the spool folder", path, errno: errno) }
        folder = descriptor
        guard unsafe faccessat(folder, ".", R_OK | W_OK | X_OK, 0) == 0 else {
            throw SpoolError("cannot write to the spool folder", path, errno: errno)
        }
    }

    deinit { close(folder) }

    /// Writes a body; when it returns, the disk has it whole, under its name.
    func write(_ id: TaskID, _ body: [ByteSlice]) throws(SpoolError) {
        let (draft, name) = ("\(id)\(Self.draftSuffix)", "\(id)\(Self.suffix)")
        do throws(SpoolError) {
            try write(body, to: draft)
            guard unsafe renameat(folder, draft, folder, name) == 0 else { throw failure("cannot rename", draft) }
            guard fsync(folder) == 0 else { throw SpoolError("cannot sync the spool folder", path, errno: errno) }
        } catch {
            unsafe unlinkat(folder, draft, 0)
            unsafe unlinkat(folder, name, 0)
            throw error
        }
    }

    /// Reads a body, into the one block that it is held in.
    /// - Parameter holding: is let go of together with the block.
    func read(_ id: TaskID, holding: (any Sendable)? = nil) throws(SpoolError) -> Bytes {
        let name = "\(id)\(Self.suffix)"
        let file = unsafe openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { throw failure("cannot open", name) }
        defer { close(file) }
        let block = Bytes(capacity: try size(of: name)) { withExtendedLifetime(holding) {} }
        while block.count < block.capacity {
            var code: Int32 = 0
            let before = block.count
            // The block lends the room behind its bytes; no more than its size is read into it.
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

    /// Removes a body, if it is there. That needn't be durable: what is left over is removed at the next start.
    func remove(_ id: TaskID) throws(SpoolError) { try remove("\(id)\(Self.suffix)") }

    /// The bodies that are there, by id, with their sizes.
    func list() throws(SpoolError) -> [(id: TaskID, bytes: Int)] {
        var bodies: [(id: TaskID, bytes: Int)] = []
        for name in try names() {
            guard let id = Self.id(name, Self.suffix) else { continue }
            bodies.append((id, try size(of: name)))
        }
        return bodies.sorted { $0.id < $1.id }
    }

    /// Removes what a crash has left half written.
    func removeDrafts() throws(SpoolError) -> Int {
        let drafts = try names().filter { Self.id($0, Self.draftSuffix) != nil }
        for name in drafts { try remove(name) }
        return drafts.count
    }

    private func remove(_ name: String) throws(SpoolError) {
        guard unsafe unlinkat(folder, name, 0) == 0 || errno == ENOENT else { throw failure("cannot remove", name) }
    }

    private func failure(_ what: String, _ name: String) -> SpoolError {
        SpoolError(what, "\(path)/\(name)", errno: errno)
    }

    private static func id(_ name: String, _ suffix: String) -> TaskID? {
        name.hasSuffix(suffix) ? TaskID(String(name.dropLast(suffix.count))) : nil
    }

    private func size(of name: String) throws(SpoolError) -> Int {
        var status = stat()
        guard unsafe fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
            throw failure("cannot look at", name)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw SpoolError(.unavailable, "\(path)/\(name) is not a file")
        }
        return Int(status.st_size)
    }

    private func names() throws(SpoolError) -> [String] {
        // A descriptor of its own: `closedir` closes it, and its place in the folder is its own.
        let descriptor = unsafe openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0, let directory = unsafe fdopendir(descriptor) else {
            throw SpoolError("cannot list the spool folder", path, errno: errno)
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

extension SpoolFolder {
    private func write(_ body: [ByteSlice], to name: String) throws(SpoolError) {
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW
        let file = unsafe openat(folder, name, flags, 0o600)
        guard file >= 0 else { throw failure("cannot create", name) }
        defer { close(file) }
        guard Self.gather(body, file), fsync(file) == 0 else { throw failure("cannot write", name) }
    }

    /// Writes the slices as they lie (`writev`).
    /// - Returns: false with `errno` if that fails.
    private static func gather(_ body: [ByteSlice], _ file: Int32) -> Bool {
        // The pointers are good for as long as the blocks live, which is until after the last write.
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
        #if canImport(Glibc)
        unsafe Glibc.read(file, room.baseAddress, room.count)
        #else
        unsafe Darwin.read(file, room.baseAddress, room.count)
        #endif
    }
}

// MARK: Making

extension SpoolFolder {
    /// Makes the folder and those above it that aren't there.
    private static func make(_ path: String) throws(SpoolError) {
        if unsafe mkdir(path, 0o700) != 0 {
            switch errno {
            case EEXIST: return
            case ENOENT where path.contains("/"):
                try make(parent(of: path))
                guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else { throw cannotMake(path) }
            default: throw cannotMake(path)
            }
        }
        try sync(parent(of: path))
    }

    private static func cannotMake(_ path: String) -> SpoolError {
        let error = SpoolError("cannot create the spool folder", path, errno: errno)
        return SpoolError(
            error.code, "\(error.detail). Set `spool` to a folder that the gateway may make, or set `queue: off`.")
    }

    /// What was made in the folder is there after a crash.
    private static func sync(_ path: String) throws(SpoolError) {
        let folder = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw SpoolError("cannot open", path, errno: errno) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw SpoolError("cannot sync", path, errno: errno) }
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
