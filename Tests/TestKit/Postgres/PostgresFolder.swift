import Base
import Foundation

/// A folder for a cluster, with a watcher: a shell that stops the server of the cluster and removes the folder when
/// this process ends, however it ends.
final class PostgresFolder: Sendable {
    let path: String
    private let watcher: Program
    /// The end of a socket that only this process holds. The watcher reads the other end, and so sees this one close.
    private let lifeline: Lock<Int32?>

    init(_ programs: PostgresPrograms) throws {
        path = FileManager.default.temporaryDirectory.appending(path: "postgres-test-\(UUID().uuidString)").path
        var ends: [Int32] = [0, 0]
        // No program that this process starts inherits it.
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw TestKitError("socketpair: errno \(errno)") }
        lifeline = Lock(ends[1])
        let input = FileHandle(fileDescriptor: ends[0], closeOnDealloc: true)
        do {
            try programs.makeFolder(path)
            watcher = try Program("/bin/sh", ["-c", Self.script, "watcher", path], input: input)
        } catch {
            close(ends[1])
            throw error
        }
    }

    /// Stops the server, removes the folder and waits for both. Blocks the thread.
    func remove() {
        let end = lifeline.withLock { end in
            defer { end = nil }
            return end
        }
        guard let end else { return }
        close(end)
        _ = try? watcher.waitForEnd()
    }

    deinit { remove() }

    /// Signals that end this process' group do not end the watcher. A paused server is resumed, and one that does not
    /// stop within 10 s is killed. The working folder of the process tells it from a later one with the same number.
    private static let script = """
        trap '' HUP INT QUIT TERM
        while read -r line; do :; done
        { read -r pid <"$1/data/postmaster.pid"; } 2>/dev/null
        runs() { [ -n "$pid" ] && [ "/proc/$pid/cwd" -ef "$1/data" ]; }
        tries=0
        while runs "$1"; do
            kill -CONT "$pid"
            kill -QUIT "$pid"
            if [ $tries -gt 200 ]; then kill -KILL "$pid"; fi
            tries=$((tries + 1))
            sleep 0.05
        done
        rm -rf "$1"
        """
}
