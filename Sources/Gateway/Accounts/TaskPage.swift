internal import KlingAPI

/// A page of an account's tasks.
struct TaskPage: Sendable {
    let tasks: [TaskObject]
    /// Whether it is the last page.
    let isLast: Bool
    /// The cursor for the next page, where pages have no numbers.
    var nextCursor: String?
}
