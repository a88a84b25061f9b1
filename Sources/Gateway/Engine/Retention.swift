/// How long records are kept, in milliseconds after they were finished.
public struct Retention: Sendable {
    public var tasks: Int64 = 400 * 86_400_000
    public var deliveries: Int64 = 30 * 86_400_000

    /// Creates the default retention.
    public init() {}
}
