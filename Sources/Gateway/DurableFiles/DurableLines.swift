internal import Base
internal import Foundation
internal import Glibc

/// A file of lines, each of which is on disk when it has been added. Its functions block on the disk, and are not called
/// at the same time.
struct DurableLines: Sendable {
    let path: String

    init(_ path: String) { self.path = path }

    /// Adds a line, and creates the file (mode 0600) if it does not exist.
    func append(_ line: String) throws(SpoolError) {
        let file = unsafe open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw SpoolError("cannot open", path, errno: errno) }
        defer { close(file) }
        // A crash may have cut off the line before.
        let bytes = Array("\n\(line)\n".utf8)
        let count = unsafe write(file, bytes, bytes.count)
        guard count == bytes.count, fsync(file) == 0 else { throw SpoolError("cannot write", path, errno: errno) }
        // Also when the file was there: the call that created it may have failed before this.
        try DurableFolder.sync(DurableFolder.parent(of: path))
    }

    /// The lines; nil if there is no file, or if it cannot be read. The last one may be cut off.
    func read() -> [String]? {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
        return text.split(separator: "\n").map(String.init)
    }

    /// Removes the file, if it exists. The removal need not be durable.
    func remove() { unsafe unlink(path) }
}
