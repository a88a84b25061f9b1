/// The status of a task as Kling writes it. Unknown values are preserved and count as unfinished.
///
/// Kling's callback page writes `succeeded` where its other pages write `succeed`; both are stored as `succeed`.
public struct TaskStatus: RawRepresentable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue == Self.otherSuccess ? "succeed" : rawValue }

    /// The other spelling of ``succeed``.
    static let otherSuccess = "succeeded"

    public static let submitted = Self(rawValue: "submitted")
    public static let processing = Self(rawValue: "processing")
    public static let succeed = Self(rawValue: "succeed")
    public static let failed = Self(rawValue: "failed")

    /// Whether the task has ended, so that its status never changes again.
    public var isFinal: Bool { self == .succeed || self == .failed }

    /// Whether this is one of the four documented values.
    public var isKnown: Bool { isFinal || self == .submitted || self == .processing }
}
