/// How a query names a task.
struct TaskName: Sendable, Hashable {
    /// The kind of name.
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
    /// The API that is queried, which only finds the tasks that it created.
    let dialect: SimulatedDialect
}
