internal import Base
internal import Glibc
internal import KlingAPI

/// The file beside the store that holds the master key.
struct MasterKeyFile {
    let path: String

    private static let maxBytes = 4096
    private static let keyBytes = 32

    /// The text in the file, which is created if it doesn't exist.
    func readOrMake() throws(MasterKeyError) -> Secret {
        let bytes: [UInt8]
        do throws(SystemCallError) {
            if let kept = try readIfThere() { bytes = kept } else { bytes = try make() }
        } catch {
            throw .file(path, error)
        }
        let text = String(decoding: bytes, as: UTF8.self)
        let line = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        guard bytes.count <= Self.maxBytes, text.utf8.allSatisfy({ $0 < 0x7F }) else { throw .notAKey(path) }
        return Secret(line)
    }

    private func readIfThere() throws(SystemCallError) -> [UInt8]? {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        if file < 0, errno == ENOENT { return nil }
        guard file >= 0 else { throw SystemCallError("open") }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: Self.maxBytes + 1)
        // The array lends its own memory, `count` bytes long.
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe read(file, $0.baseAddress, $0.count) }
        guard count >= 0 else { throw SystemCallError("read") }
        return Array(bytes.prefix(count))
    }

    /// Creates the key under another name and links it to its own, so that no process ever reads half a key.
    private func make() throws(SystemCallError) -> [UInt8] {
        var random = SystemRandomNumberGenerator()
        let key = (0..<Self.keyBytes).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        let draft = "\(path).\(getpid()).\(random.next())"
        try write(Array((Base64.encode(key) + "\n").utf8), to: draft)
        let hasLinked = unsafe link(draft, path) == 0
        let code = errno
        unsafe unlink(draft)
        guard hasLinked || code == EEXIST else { throw SystemCallError("link", code: code) }
        try syncFolder()
        guard let bytes = try readIfThere() else { throw SystemCallError("open", code: ENOENT) }
        return bytes
    }

    private func write(_ bytes: [UInt8], to name: String) throws(SystemCallError) {
        let file = unsafe open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw SystemCallError("create") }
        defer { close(file) }
        // The array lends its own memory, `count` bytes long.
        let count = unsafe bytes.withUnsafeBytes { unsafe Self.write(file, $0) }
        guard count == bytes.count, fsync(file) == 0 else {
            let error = SystemCallError("write")
            unsafe unlink(name)
            throw error
        }
    }

    @unsafe private static func write(_ file: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        unsafe Glibc.write(file, bytes.baseAddress, bytes.count)
    }

    private func syncFolder() throws(SystemCallError) {
        let slash = path.lastIndex(of: "/")
        let name = slash.map { path[...$0].isEmpty ? "/" : String(path[...$0]) } ?? "."
        let folder = unsafe open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw SystemCallError("open \(name)") }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw SystemCallError("fsync \(name)") }
    }
}
