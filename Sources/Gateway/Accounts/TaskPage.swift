internal import KlingAPI

/// A page of an account's tasks.
struct TaskPage: Sendable {
    let tasks: [TaskObject]
    /// Whether nothing comes behind it.
    let isLast: Bool
    /// What the next page is asked for by, where pages have no numbers.
    var nextCursor: String?
}
