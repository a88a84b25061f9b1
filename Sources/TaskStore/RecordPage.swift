/// Which of a tenant's tasks are read.
public struct TaskSlice: Sendable {
    /// Only those that were told before the one with this number; nil: from the newest on.
    public var below: Int64?
    /// Only those that were made then, in milliseconds since 1970.
    public var createdAt: Range<Int64>
    /// Only those in these states; nil: in all.
    public var states: Set<TaskState>?
    /// How many at most, from 1.
    public var limit: Int

    public init(below: Int64? = nil, createdAt: Range<Int64>, states: Set<TaskState>? = nil, limit: Int) {
        self.below = below
        self.createdAt = createdAt
        self.states = states
        self.limit = limit
    }
}

/// A page of records, read only if it is not too long to be held.
public enum RecordPage<Record: Sendable>: Sendable {
    case records([Record])
    /// Kling's answers in it have that many bytes, which is more than was allowed. None of them was read.
    case long(bytes: Int)
}
