internal import Base
internal import Pictures
internal import TaskStore

/// The pictures that Kling gets as links, on disk: one file each, mode 0600, in a folder of their own. Each belongs to
/// a task, which limits how long it is kept.
///
/// Usable from any thread; no event loop waits for the disk. When ``host(_:format:for:)`` returns, the picture survives
/// a crash of the machine. Ages are those of a clock that never jumps and, across a restart, of the believed time,
/// which never runs ahead of what has passed. No error that is thrown contains a picture's name.
final class HostedPictures: PictureHost {
    /// Two, so that a large picture doesn't hold up a small one.
    private static let threads = 2

    private let bounds: HostedPictureBounds
    private let folder: DurableFolder
    private let workers = SpoolWorkers(concurrency: HostedPictures.threads)
    private let index: Lock<HostedPictureIndex>
    private let clock: GuardedClock

    /// Opens the folder at `path`, and creates it (mode 0700) if it doesn't exist. Blocks on the disk. Pictures from
    /// before the restart are served once ``recover(from:)`` has run.
    /// - Throws: why the gateway can't use the folder, in words for the operator.
    init(_ path: String, bounds: HostedPictureBounds, clock: GuardedClock) throws(SpoolError) {
        self.bounds = bounds
        self.clock = clock
        folder = try DurableFolder(
            path, purpose: "pictures",
            advice: "The gateway keeps pictures for Kling there: let it write beside its store.",
            inUseAdvice: "Give each gateway a store of its own: pictures for Kling are kept beside it.")
        index = Lock(HostedPictureIndex(bounds))
    }

    /// The number of pictures and their total bytes.
    var figures: HostedPictureFigures { index.withLock { HostedPictureFigures(count: $0.count, bytes: $0.bytes) } }

    /// Stores a picture for a task, and serves it from now on.
    /// - Throws: `full` if there is no room, `missing` if the task has ended and its pictures have been removed, or the
    ///   disk's error. Then the picture doesn't exist.
    func host(
        _ file: ByteSlice, format: PictureFormat, for task: TaskID
    ) async throws(SpoolError) -> HostedPicture {
        let picture = HostedPicture(format, of: task, bytes: file.count, madeAt: clock.believed)
        guard let gone = index.withLock({ $0.admit(picture, now: clock.monotonic) }) else {
            throw SpoolError(.full, "\(figures.bytes) of \(bounds.bytes) bytes are taken by pictures of open tasks")
        }
        remove(gone)
        do throws(SpoolError) {
            try await run(picture) { folder throws(SpoolError) in
                try folder.write(picture.file, [file], draft: picture.draft)
            }
        } catch {
            _ = index.withLock { $0.remove(picture) }
            throw error
        }
        // If it was removed from the index in the meantime, the file may not have existed yet.
        if find(picture.name) == nil {
            remove([picture])
            throw SpoolError(.missing, "the task has ended")
        }
        return picture
    }

    /// Lets the pictures of an ended task expire after a while.
    func end(of task: TaskID) { index.withLock { $0.end(of: task, now: clock.monotonic) } }

    /// Removes a task's pictures at once, because Kling was not told of them and will not be.
    func discard(of task: TaskID) { remove(index.withLock { $0.removeAll(of: task) }) }

    /// The picture that is served under a name. Looks only in memory.
    func find(_ name: String) -> HostedPicture? { index.withLock { $0.find(name, now: clock.monotonic) } }

    /// Reads a picture into one block of memory.
    /// - Parameter holding: released together with the block, such as the memory's lease.
    /// - Throws: `missing` if it has been removed in the meantime.
    func read(_ picture: HostedPicture, holding: (any Sendable)? = nil) async throws(SpoolError) -> Bytes {
        try await run(picture) { folder throws(SpoolError) in try folder.read(picture.file, holding: holding) }
    }

    /// Removes the expired pictures, without waiting for the disk.
    func expire() { remove(index.withLock { $0.expire(now: clock.monotonic) }) }

    private func run<Value: Sendable>(
        _ picture: HostedPicture, _ body: @escaping @Sendable (DurableFolder) throws(SpoolError) -> Value
    ) async throws(SpoolError) -> Value {
        do throws(SpoolError) {
            return try await workers.run { [folder] () throws(SpoolError) in try body(folder) }
        } catch {
            throw error.withholding(picture.name)
        }
    }

    private func remove(_ pictures: [HostedPicture]) {
        if pictures.isEmpty { return }
        workers.submit { [folder] in
            // What can't be removed is found at the next start.
            for picture in pictures { try? folder.remove(picture.file) }
        }
    }
}

// MARK: Recovery

extension HostedPictures {
    /// Restores the pictures from before a shutdown or a crash. Pictures of unfinished tasks stay, those of ended tasks
    /// linger, and those that no task needs are removed. Call it after the clock has been resumed and before the
    /// gateway serves requests.
    func recover(from store: any TaskStore) async throws {
        let (now, believed) = (clock.monotonic, clock.believed)
        var needs: [TaskID: Need] = [:]
        for picture in try await storedPictures() {
            let need: Need
            if let known = needs[picture.task] {
                need = known
            } else {
                need = Need(try await store.task(picture.task))
                needs[picture.task] = need
            }
            let age = max(0, believed - picture.madeAt)
            guard age < bounds.age, need != .none else {
                remove([picture])
                continue
            }
            index.withLock { index in
                index.restore(picture, madeAt: now - age)
                if need == .linger { index.end(of: picture.task, now: now) }
            }
        }
    }

    /// How long a task needs its pictures.
    private enum Need {
        case whileInProgress, linger, none

        init(_ task: TaskRecord?) { self = task.map { $0.state.isFinal ? .linger : .whileInProgress } ?? .none }
    }

    /// The pictures in the folder. Removes what a crash has left half written.
    private func storedPictures() async throws(SpoolError) -> [HostedPicture] {
        try await workers.run { [folder] () throws(SpoolError) in
            var pictures: [HostedPicture] = []
            for name in try folder.names() {
                if HostedPicture.isDraft(name) {
                    try folder.remove(name)
                } else if let picture = HostedPicture(file: name, bytes: 0) {
                    do throws(SpoolError) {
                        let size = try folder.size(of: name)
                        if let picture = HostedPicture(file: name, bytes: size) { pictures.append(picture) }
                    } catch {
                        throw error.withholding(picture.name)
                    }
                }
            }
            return pictures
        }
    }
}

/// The number of hosted pictures and their total bytes.
public struct HostedPictureFigures: Sendable, Hashable {
    public let count: Int
    public let bytes: Int
}

extension SpoolError {
    /// The same error without a picture's name, which must not appear in a log.
    func withholding(_ name: String) -> SpoolError { SpoolError(code, detail.replacing(name, with: "…")) }
}
