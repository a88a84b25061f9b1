/// The tasks that a list in the newer shape asks for: the body of `POST /solutions` (Kling, virtual-try-on page).
public struct SolutionsList: Sendable, Hashable {
    /// The earliest creation time to list, in milliseconds since 1970; nil means thirty days before the end.
    public var startTime: Int?
    /// The creation time before which tasks are listed, in milliseconds since 1970; nil means now.
    public var endTime: Int?
    /// The cursor from the previous page. If it is set, the times are ignored.
    public var cursor: String?
    /// The maximum number of tasks in a page.
    public var limit = Solutions.defaultLimit
    /// The statuses to list; nil means all.
    public var statuses: [TaskStatus]?

    public init(
        startTime: Int? = nil, endTime: Int? = nil, cursor: String? = nil, limit: Int = Solutions.defaultLimit,
        statuses: [TaskStatus]? = nil
    ) {
        self.startTime = startTime
        self.endTime = endTime
        self.cursor = cursor
        self.limit = limit
        self.statuses = statuses
    }

    /// Reads a body; an empty one is the same as an empty object. Members that Kling does not document are ignored.
    /// - Throws: what is wrong, with the path of the member, such as `filters[0].values`.
    public init(body: [UInt8]) throws(ParameterError) {
        if body.isEmpty {
            self.init()
            return
        }
        let members = try BodyMembers(body: body)
        let limits = Solutions.limits
        self.init(
            startTime: try members.integer("start_time", in: Self.times, Self.timeWords),
            endTime: try members.integer("end_time", in: Self.times, Self.timeWords),
            cursor: try members.string("cursor"),
            limit: try members.integer(
                "limit", in: limits, "an integer from \(limits.lowerBound) to \(limits.upperBound)")
                ?? Solutions.defaultLimit,
            statuses: try Self.statuses(members))
        if let startTime, let endTime, startTime > endTime {
            throw .value("start_time", "is after end_time. Send an earlier one.")
        }
    }

    /// The range of creation times to list, in milliseconds since 1970; empty if the start is after the end.
    /// - Parameter now: the current time, in milliseconds since 1970.
    public func times(now: Int) -> Range<Int> {
        let end = endTime ?? now
        return min(startTime ?? end &- Solutions.defaultPeriod, end)..<end
    }

    /// The body, with only the members that differ from Kling's defaults.
    public var json: [UInt8] {
        JSONWriter.object { body in
            if let startTime { body.member("start_time", startTime) }
            if let endTime { body.member("end_time", endTime) }
            body.member("cursor", ifPresent: cursor)
            if limit != Solutions.defaultLimit { body.member("limit", limit) }
            guard let statuses else { return }
            body.array("filters") { filters in
                filters.object { filter in
                    filter.member("key", "status")
                    filter.array("values") { values in statuses.forEach { values.string($0.rawValue) } }
                }
            }
        }
    }

    /// Times up to the year 5138. A larger number was not meant as milliseconds.
    private static let times = 0...99_999_999_999_999
    private static let timeWords = "a time in milliseconds since 1970"

    /// The status is the only key to filter by, so a list has at most one filter.
    private static func statuses(_ members: BodyMembers) throws(ParameterError) -> [TaskStatus]? {
        guard let filters = try members.elements("filters") else { return nil }
        guard filters.count <= 1 else {
            throw .value("filters", "has \(filters.count) filters. Put all statuses into the values of one.")
        }
        guard let filter = filters.first else { return nil }
        let key = try filter.string("key") ?? ""
        guard key == "status" else {
            throw .value(filter.place(of: "key"), "is '\(Sanitized.text(key))'; the only allowed key is status.")
        }
        let words = try filter.strings("values") ?? []
        guard !words.isEmpty else { throw .value(filter.place(of: "values"), "has no status. Send any of: \(states).") }
        for (index, word) in words.enumerated() where !TaskStatus(rawValue: word).isKnown {
            throw .value(
                "\(filter.place(of: "values"))[\(index)]", "is '\(Sanitized.text(word))'. Send any of: \(states).")
        }
        return words.map(TaskStatus.init(rawValue:))
    }

    private static let states = [TaskStatus.submitted, .processing, .succeed, .failed].map(\.rawValue)
        .joined(separator: ", ")
}
