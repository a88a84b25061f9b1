internal import TaskStore

/// The unfinished tasks that an operator should look at.
struct FlaggedTasks: Sendable, Equatable {
    /// Kling has sent no news of them for a day.
    var stuck = 0
    /// It is unknown whether Kling has them.
    var unknown = 0

    /// There are none.
    init() {}

    /// Counts the flags of `tasks`.
    init(_ tasks: [TaskRecord]) {
        stuck = tasks.count { $0.flags.contains(.stuck) }
        unknown = tasks.count { $0.flags.contains(.unknown) }
    }
}
