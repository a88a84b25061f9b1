/// What writes at the end of a turn of its loop, see ``EventLoop/writeAtEndOfTurn(_:)``.
public protocol TurnWriter: AnyObject {
    /// Writes what there is to write. Called on the loop's thread. There may be nothing any more.
    func write()
}
