internal import Base
internal import TaskStore

/// The content whose answers were read recently, with the tasks. There are two generations; the older is dropped when
/// the younger is full or old.
struct RecentKeys: Sendable {
    private static let capacity = 1024
    private static let life = Duration.seconds(10)

    /// What a client was answered.
    struct Answer: Sendable {
        let task: TaskID
        /// Since when the task has existed; nil if that is unknown.
        let madeAt: MonotonicTime?
    }

    private var young: [ResendKey: Answer] = [:]
    private var old: [ResendKey: Answer] = [:]
    private var turnsAt: MonotonicTime?

    mutating func insert(_ key: ResendKey, _ answer: Answer, now: MonotonicTime) {
        if young.count >= Self.capacity || turnsAt.map({ $0 <= now }) ?? true {
            (old, young, turnsAt) = (young, [:], now + Self.life)
        }
        young[key] = answer
    }

    /// The last answer to this content.
    func last(of key: ResendKey, now: MonotonicTime) -> Answer? {
        guard let turnsAt, now < turnsAt + Self.life else { return nil }
        return young[key] ?? old[key]
    }
}
