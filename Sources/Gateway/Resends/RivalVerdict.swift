internal import TaskStore

/// What a create has to do because other gateways have creates with the same content.
///
/// A create of another gateway | the client waits here | the client has left here
/// --- | --- | ---
/// is open: its answer cannot have been read | attaches to it | attaches to it
/// is being answered | waits until that is decided | shares its answer
/// was read, and began after this request came | is a new create | shares its answer
/// was read before that | is a new create | is a new create
enum RivalVerdict: Equatable {
    /// Make a task.
    case new
    /// Use the answer of this task's create.
    case attach(TaskID)
    /// Use the answer of this task's create, which the client has most likely sent after this request.
    case share(TaskID)
    /// Look again in a moment.
    case wait

    /// - Parameters:
    ///   - creates: those of other gateways, newest first.
    ///   - row: the newest task when the request came, if its client has left.
    init(_ creates: [ForeignCreate], clientLeftBefore row: Int64?) {
        if let open = creates.first(where: { $0.state == .open }) {
            self = .attach(open.task)
        } else if let row, let rival = creates.first(where: { $0.state == .answering || $0.row > row }) {
            self = .share(rival.task)
        } else {
            self = row == nil && creates.contains { $0.state == .answering } ? .wait : .new
        }
    }
}
