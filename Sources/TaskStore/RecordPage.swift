/// A page of records, read only if it is not too long to be held.
public enum RecordPage<Record: Sendable>: Sendable {
    case records([Record])
    /// Kling's answers in it have that many bytes, which is more than was allowed. None of them was read.
    case long(bytes: Int)
}
