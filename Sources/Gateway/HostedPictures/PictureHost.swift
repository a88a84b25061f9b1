internal import Base
internal import TaskStore

/// The pictures that Kling gets as links. Each belongs to a task, which limits how long it is kept.
///
/// Usable from any thread, and none is blocked. Ages are by the believed time, which never runs ahead of what has passed.
/// No error that is thrown contains a picture's name.
protocol PictureHost: Sendable {
    /// The number of pictures and their total bytes, which may be some seconds old.
    var figures: HostedPictureFigures { get }

    /// Stores a picture for a task, and serves it from now on. When it returns, the picture survives a crash of the
    /// machine.
    /// - Throws: `full` if there is no room, `missing` if the task has ended and its pictures have been removed, or the
    ///   disk's error. Then the picture doesn't exist.
    func host(_ file: ByteSlice, format: PictureFormat, for task: TaskID) async throws(SpoolError) -> HostedPicture

    /// Lets the pictures of an ended task expire after a while.
    func end(of task: TaskID)

    /// The picture that is served under a name; nil if there is none.
    func find(_ name: String) async throws(SpoolError) -> HostedPicture?

    /// Reads a picture into one block of memory.
    /// - Parameter holding: released together with the block, such as the memory's lease.
    /// - Throws: `missing` if it has been removed in the meantime.
    func read(_ picture: HostedPicture, holding: (any Sendable)?) async throws(SpoolError) -> Bytes

    /// Removes the expired pictures.
    func expire() async

    /// Finds the pictures from before a shutdown or a crash. Call it after the clock has been resumed and before the
    /// gateway serves requests.
    func recover(from store: any TaskStore) async throws
}
