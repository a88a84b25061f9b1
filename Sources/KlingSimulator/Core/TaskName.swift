/// How a query names a task.
struct TaskName: Sendable, Hashable {
    /// What the name is.
    enum Kind: Sendable, Hashable {
        /// The platform's own id, or the creator's.
        case any
        /// The platform's own id.
        case own
        /// The creator's.
        case external
    }

    let text: String
    let kind: Kind
    /// The interface that is asked: it knows the tasks that were made by it, and no others.
    let dialect: SimulatedDialect
}
