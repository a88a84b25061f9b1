internal import Base
internal import Pictures
internal import TaskStore

/// The pictures that Kling is given links of, on the disk: one file each, mode 0600, in a folder of its own. Each belongs
/// to a task, and goes with it.
///
/// From any thread; nobody's loop waits for the disk. What ``host(_:format:for:)`` returns from survives a crash of the
/// machine. Ages are those of a clock that never jumps; over a restart, of the believed time, which is never ahead of what
/// has passed. No error that is thrown has a picture's name.
public final class HostedPictures: Sendable {
    /// Two, so that a large picture doesn't hold up a small one.
    private static let threads = 2

    private let bounds: HostedPictureBounds
    private let folder: DurableFolder
    private let workers = SpoolWorkers(width: HostedPictures.threads)
    private let books: Lock<HostedPictureBooks>
    private let clock: GuardedClock

    /// Opens the folder at `path`, and makes it (mode 0700) if it isn't there. Waits for the disk. What an earlier life has
    /// left is served from ``recover(from:)`` on.
    /// - Throws: what keeps the gateway from using the folder, in words for the operator.
    public init(_ path: String, bounds: HostedPictureBounds, clock: GuardedClock) throws(SpoolError) {
        self.bounds = bounds
        self.clock = clock
        folder = try DurableFolder(
            path, purpose: "pictures",
            advice: "The gateway keeps pictures for Kling there: let it write beside its store.",
            apart: "Give each gateway a store of its own: pictures for Kling lie beside it.")
        books = Lock(HostedPictureBooks(bounds))
    }

    /// How many there are, and how many bytes they have.
    var figures: HostedPictureFigures { books.withLock { HostedPictureFigures(count: $0.count, bytes: $0.bytes) } }

    /// Keeps a picture for a task, and serves it from now on.
    /// - Throws: `full` if there is no room, `missing` if the task has ended and its pictures are gone by now, or what the
    ///   disk said; then there is no such picture.
    func host(
        _ file: ByteSlice, format: PictureFormat, for task: TaskID
    ) async throws(SpoolError) -> HostedPicture {
        let picture = HostedPicture(format, of: task, bytes: file.count, madeAt: clock.believed)
        guard let gone = books.withLock({ $0.admit(picture, now: clock.monotonic) }) else {
            throw SpoolError(.full, "\(figures.bytes) of \(bounds.bytes) bytes are taken by pictures of open tasks")
        }
        remove(gone)
        do throws(SpoolError) {
            try await run(picture) { folder throws(SpoolError) in
                try folder.write(picture.file, [file], draft: picture.draft)
            }
        } catch {
            _ = books.withLock { $0.remove(picture) }
            throw error
        }
        // Whoever took it out of the books meanwhile may have looked for its file before that was there.
        if find(picture.name) == nil {
            remove([picture])
            throw SpoolError(.missing, "the task has ended")
        }
        return picture
    }

    /// A task has ended: its pictures go after a while.
    func end(of task: TaskID) { books.withLock { $0.end(of: task, now: clock.monotonic) } }

    /// Kling was not told of a task's pictures, and will not be: they go at once.
    func discard(of task: TaskID) { remove(books.withLock { $0.removeAll(of: task) }) }

    /// The picture that is served under a name. Asks the memory alone.
    func find(_ name: String) -> HostedPicture? { books.withLock { $0.find(name, now: clock.monotonic) } }

    /// Reads a picture, into the one block that it is held in.
    /// - Parameter holding: is let go of together with the block, such as the memory's lease.
    /// - Throws: `missing` if it is gone by now.
    func read(_ picture: HostedPicture, holding: (any Sendable)? = nil) async throws(SpoolError) -> Bytes {
        try await run(picture) { folder throws(SpoolError) in try folder.read(picture.file, holding: holding) }
    }

    /// Removes those whose time is over, when there is time.
    func expire() { remove(books.withLock { $0.expire(now: clock.monotonic) }) }

    private func run<Value: Sendable>(
        _ picture: HostedPicture, _ body: @escaping @Sendable (DurableFolder) throws(SpoolError) -> Value
    ) async throws(SpoolError) -> Value {
        do throws(SpoolError) {
            return try await workers.run { [folder] () throws(SpoolError) in try body(folder) }
        } catch {
            throw error.withholding(picture)
        }
    }

    private func remove(_ pictures: [HostedPicture]) {
        if pictures.isEmpty { return }
        workers.submit { [folder] in
            // What cannot be removed is found by the next start.
            for picture in pictures { try? folder.remove(picture.file) }
        }
    }
}

// MARK: Recovery

extension HostedPictures {
    /// Takes up what a stop or a crash has left, before anything is served: pictures of tasks that are at work stay, those
    /// of tasks that have ended linger, and those that no task needs go. The clock has been resumed.
    func recover(from store: any TaskStore) async throws {
        let (now, believed) = (clock.monotonic, clock.believed)
        var needs: [TaskID: Need] = [:]
        for picture in try await left() {
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
            books.withLock { books in
                books.restore(picture, madeAt: now - age)
                if need == .linger { books.end(of: picture.task, now: now) }
            }
        }
    }

    /// For how long a task needs its pictures.
    private enum Need {
        case whileAtWork, linger, none

        init(_ task: TaskRecord?) { self = task.map { $0.state.isFinal ? .linger : .whileAtWork } ?? .none }
    }

    /// The pictures that are in the folder, without what a crash has left half written.
    private func left() async throws(SpoolError) -> [HostedPicture] {
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
                        throw error.withholding(picture)
                    }
                }
            }
            return pictures
        }
    }
}

/// How many hosted pictures there are, and how many bytes they have.
public struct HostedPictureFigures: Sendable, Hashable {
    public let count: Int
    public let bytes: Int
}

extension SpoolError {
    /// The same without a picture's name, which nobody may read in a log.
    fileprivate func withholding(_ picture: HostedPicture) -> SpoolError {
        SpoolError(code, detail.replacing(picture.name, with: "…"))
    }
}
