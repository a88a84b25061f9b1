/// Selects which of a tenant's tasks to read.
public struct TaskSlice: Sendable {
    /// Only tasks that the client was told of before the one with this number; nil: from the newest on.
    public var below: Int64?
    /// Only tasks created in this range, in milliseconds since 1970.
    public var createdAt: Range<Int64>
    /// Only tasks in these states; nil: in any state.
    public var states: Set<TaskState>?
    /// The maximum number of tasks, at least 1.
    public var limit: Int

    public init(below: Int64? = nil, createdAt: Range<Int64>, states: Set<TaskState>? = nil, limit: Int) {
        self.below = below
        self.createdAt = createdAt
        self.states = states
        self.limit = limit
    }
}

/// A page of records, read only if it is small enough to hold in memory.
public enum RecordPage<Record: Sendable>: Sendable {
    case records([Record])
    /// Nothing was read, because Kling's answers in the page have this many bytes, which exceeds the limit.
    case long(bytes: Int)
}
