internal import KlingAPI

/// A page of an account's tasks.
struct TaskPage: Sendable {
    let tasks: [TaskObject]
    /// Whether it is the last page.
    let isLast: Bool
    /// The cursor for the next page; nil if there is none, or if pages have numbers.
    var nextCursor: String?
}
