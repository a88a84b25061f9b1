/// The state word of a task as Kling writes it. Words that are not known survive and count as unfinished.
///
/// Kling's callback page writes `succeeded` where its other pages write `succeed`: they are one word here.
public struct TaskStatus: RawRepresentable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue == Self.otherSuccess ? "succeed" : rawValue }

    /// The other word for ``succeed``.
    static let otherSuccess = "succeeded"

    public static let submitted = Self(rawValue: "submitted")
    public static let processing = Self(rawValue: "processing")
    public static let succeed = Self(rawValue: "succeed")
    public static let failed = Self(rawValue: "failed")

    /// Whether the task has come to its end, so that its state never changes again.
    public var isFinal: Bool { self == .succeed || self == .failed }

    /// Whether the word is one of the four that are documented.
    public var isKnown: Bool { isFinal || self == .submitted || self == .processing }
}
