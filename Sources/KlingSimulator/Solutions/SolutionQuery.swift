internal import KlingAPI

/// The tasks that a `GET /solutions` request asks for.
struct SolutionQuery: Sendable, Hashable {
    let names: [TaskName]

    private static let counts = 1...20

    /// Parses a query string. Unknown parameters are ignored.
    init(query: String?) throws(SimulatedRefusal) {
        var ids: [TaskName.Kind: [String]] = [:]
        for pair in (query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let kinds: [Substring: TaskName.Kind] = ["task_ids": .own, "external_task_ids": .external]
            guard parts.count == 2, let kind = kinds[parts[0]] else { continue }
            ids[kind, default: []] += PercentEncoding.decoded(parts[1]).split(separator: ",").map { String($0) }
        }
        guard ids.count < 2 else { throw .parameter("only one of task_ids and external_task_ids is allowed") }
        guard let (kind, texts) = ids.first, !texts.isEmpty else {
            throw .parameter("task_ids or external_task_ids is required")
        }
        guard Self.counts.contains(texts.count) else {
            throw .parameter("at most \(Self.counts.upperBound) ids are allowed")
        }
        names = texts.map { TaskName(text: $0, kind: kind, dialect: .solutions) }
    }
}
