internal import Base
internal import KlingAPI

/// The part of the list that a `POST /solutions` request asks for.
struct SolutionPage: Sendable, Hashable {
    /// Where the previous page ended.
    struct Cursor: Sendable, Hashable {
        /// The time range of the first page's request, which applies to all pages.
        let start, end: Int
        /// The last task of the previous page.
        let taskID: String
    }

    /// The range of creation times, in milliseconds since 1970; nil for the default.
    private(set) var start: Int?
    private(set) var end: Int?
    private(set) var cursor: Cursor?
    private(set) var limit = Self.limits.upperBound
    /// The requested states; nil for all.
    private(set) var statuses: Set<TaskStatus>?

    private static let limits = 1...500
    private static let members: Set = ["start_time", "end_time", "cursor", "limit", "filters"]
    /// Separates the parts of a cursor before it is encoded.
    private static let separator: Character = "/"

    /// Parses the body of a list request.
    init(_ body: [UInt8]) throws(SimulatedRefusal) {
        let object = try StrictObject(body, members: Self.members)
        start = try object.integer("start_time")
        end = try object.integer("end_time")
        guard start ?? 0 >= 0, end ?? 0 >= 0, start ?? 0 <= end ?? Int.max else {
            throw object.refusal("start_time", "must not be after end_time")
        }
        limit = try object.integer("limit") ?? limit
        guard Self.limits.contains(limit) else {
            throw object.refusal("limit", "must be in [\(Self.limits.lowerBound), \(Self.limits.upperBound)]")
        }
        for filter in try object.objects("filters", members: ["key", "values"]) ?? [] {
            guard try filter.text("key") == "status" else { throw filter.refusal("key", "must be status") }
            let words = try filter.texts("values") ?? []
            // Both words for success are accepted.
            let statuses = Set(words.map { $0 == "succeeded" ? .succeed : TaskStatus(rawValue: $0) })
            guard !statuses.isEmpty, statuses.allSatisfy(\.isKnown) else {
                throw filter.refusal("values", "must be task statuses")
            }
            self.statuses = self.statuses.map { $0.intersection(statuses) } ?? statuses
        }
        if let text = try object.text("cursor") { try read(text, object) }
    }

    /// The range of creation times of the listed tasks.
    func times(now: Int) -> (start: Int, end: Int) {
        if let cursor { return (cursor.start, cursor.end) }
        let end = end ?? now
        return (start ?? end - SimulatedKling.retention, end)
    }

    /// The cursor of the page after the one that ends with `taskID`.
    func nextCursor(after taskID: String, now: Int) -> String {
        let (start, end) = times(now: now)
        let parts = ["\(start)", "\(end)", words, taskID]
        return Base64.encode(parts.joined(separator: String(Self.separator)).utf8)
    }

    private mutating func read(_ text: String, _ object: StrictObject) throws(SimulatedRefusal) {
        let bytes = Base64.decode(text.utf8) ?? []
        let parts = String(decoding: bytes, as: UTF8.self)
            .split(separator: Self.separator, maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, let start = Int(parts[0]), let end = Int(parts[1]) else {
            throw object.refusal("cursor", "is invalid")
        }
        guard parts[2] == words else { throw object.refusal("filters", "must be the same as for the previous page") }
        cursor = Cursor(start: start, end: end, taskID: String(parts[3]))
    }

    private var words: String { (statuses ?? []).map(\.rawValue).sorted().joined(separator: "+") }
}
