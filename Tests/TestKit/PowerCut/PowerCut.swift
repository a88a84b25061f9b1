import Foundation

/// Loads a library into a program that records what is written to a folder, and puts the folder into a state that a
/// power cut could have left once the program was killed. A SIGKILL alone loses nothing that was written.
///
/// `Library/power_cut.h` says what is modeled. Start a program with ``environment``, kill it, and call
/// ``apply(_:severity:)``. Between two cuts, the program may be killed and started again any number of times.
public final class PowerCut: Sendable {
    /// What cuts have taken back.
    public struct Losses: Sendable, Equatable {
        public init() {}

        /// Changes that were not synced.
        public var atRisk = 0
        /// Changes of which at least a part is gone.
        public var changes = 0
        /// Bytes in the sectors that are gone.
        public var bytes = 0
        /// By how much files have become shorter.
        public var cutOff = 0
        /// Files and folders whose names were created, changed or removed in vain.
        public var names = 0

        public static func += (total: inout Losses, more: Losses) {
            total.atRisk += more.atRisk
            total.changes += more.changes
            total.bytes += more.bytes
            total.cutOff += more.cutOff
            total.names += more.names
        }
    }

    /// How much of what was not synced is lost.
    public enum Severity: Sendable {
        /// A random part.
        case random
        /// Everything.
        case whole
    }

    /// The folder that is watched.
    let folder: URL
    private let scratch: TemporaryFolder
    private let library: String
    private let log: URL

    static let sources = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Library")

    /// Compiles the library and tries it.
    /// - Parameter folder: the folder to watch, which must exist.
    /// - Throws: a ``TestKitError`` that says why it can't be used here: no C compiler, no `LD_PRELOAD`.
    public init(watching folder: URL) async throws {
        self.folder = folder.resolvingSymlinksInPath()
        scratch = try TemporaryFolder()
        library = scratch.path("power-cut.so")
        log = scratch.url.appending(path: "log")
        try FileManager.default.createDirectory(at: log, withIntermediateDirectories: true)
        try await blocking { [library] in
            let sources = ["undo_log.c", "contents.c", "names.c"].map { Self.sources.appending(path: $0).path }
            try CCompiler.makeLibrary(of: sources, at: library)
        }
        let probe = self.folder.appending(path: "power-cut-probe").path
        _ = try await Program("sh", ["-c", #"echo 1 >"$1" && rm "$1""#, "sh", probe], environment: environment).end()
        guard try !UndoLog(folder: log).records.isEmpty else {
            throw TestKitError("LD_PRELOAD has no effect on `sh`")
        }
        try clear()
    }

    /// The environment variables to start a program with.
    public var environment: [String: String] {
        ["LD_PRELOAD": library, "POWER_CUT_FOLDER": folder.path, "POWER_CUT_LOG": log.path]
    }

    /// Variables with which each sync waits before it begins, as on a slow disk, so that more is unsynced at a cut.
    public static func delayingSyncs(by delay: Duration) -> [String: String] {
        ["POWER_CUT_SYNC_DELAY": "\(Int(delay / .microseconds(1)))"]
    }

    /// Variables that turn the program's syncs into nothing, so that everything since the last cut may be lost.
    public static let ignoringSyncs = ["POWER_CUT_IGNORES_SYNCS": "1"]

    /// Cuts the power: call it when the program has been killed. Blocks the thread.
    /// - Parameter dice: decides what survives.
    public func apply(_ dice: Dice, severity: Severity = .random) throws -> Losses {
        var dice = dice
        let changes = UnsyncedChanges(try UndoLog(folder: log))
        var losses = Losses()
        let names = NameCut(folder: folder, keep: log)
        let survivors: Int
        switch severity {
        case .whole: survivors = 0
        case .random:
            let some = Int.random(in: 0...changes.names.count, using: &dice)
            survivors = dice.pick([(1, 0), (1, changes.names.count), (2, some)])
        }
        losses.atRisk += changes.names.count
        losses.names += changes.names.count - survivors
        try names.undo(changes.names[survivors...])
        // A dictionary's order differs from process to process.
        for (inode, file) in changes.files.sorted(by: { $0.key < $1.key }) {
            guard let path = names.path(of: inode) else { continue }
            let survival = FileCut.survival(of: file.changes.count, &dice)
            var cut = try FileCut(file, path: path, dice: dice)
            try cut.apply(severity == .whole ? .none : survival)
            losses += cut.losses
            _ = dice.next()
        }
        try removeSharedMemory()
        try clear()
        return losses
    }

    private func removeSharedMemory() throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) where name.hasSuffix("-shm") {
            try FileManager.default.removeItem(at: folder.appending(path: name))
        }
    }

    /// Begins a new log: what is in the folder now is safe.
    private func clear() throws {
        try FileManager.default.removeItem(at: log)
        try FileManager.default.createDirectory(at: log, withIntermediateDirectories: true)
    }
}
