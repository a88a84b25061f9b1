/// Which tasks a list of the new shape asks for: the body of `POST /solutions` (Kling, virtual-try-on page).
public struct SolutionsList: Sendable, Hashable {
    /// The time of creation from which on tasks are listed, in milliseconds since 1970; nil: thirty days before the end.
    public var startTime: Int?
    /// The time of creation before which tasks are listed, in milliseconds since 1970; nil: now.
    public var endTime: Int?
    /// Where an earlier page has ended. With it the times do not count.
    public var cursor: String?
    /// How many tasks a page has at most.
    public var limit = Solutions.defaultLimit
    /// The states that are listed; nil: all.
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

    /// Reads a body; no body is the same as an empty object. Members that Kling does not document are ignored.
    /// - Throws: what is wrong with it, by the member's place, such as `filters[0].values`.
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

    /// The times of creation that are asked for, in milliseconds since 1970: empty for a start in the future.
    /// - Parameter now: in milliseconds since 1970.
    public func times(now: Int) -> Range<Int> {
        let end = endTime ?? now
        return min(startTime ?? end &- Solutions.defaultPeriod, end)..<end
    }

    /// The body, with the members that say something else than Kling does anyway.
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

    /// Up to the year 5138: what is later was not meant as milliseconds.
    private static let times = 0...99_999_999_999_999
    private static let timeWords = "a time in milliseconds since 1970"

    /// There is one key to filter by, the state, so that there is at most one filter.
    private static func statuses(_ members: BodyMembers) throws(ParameterError) -> [TaskStatus]? {
        guard let filters = try members.elements("filters") else { return nil }
        guard filters.count <= 1 else {
            throw .value("filters", "has \(filters.count) filters. Put all states into the values of one.")
        }
        guard let filter = filters.first else { return nil }
        let key = try filter.string("key") ?? ""
        guard key == "status" else {
            throw .value(filter.place(of: "key"), "is '\(Sanitised.text(key))'; allowed is status.")
        }
        let words = try filter.strings("values") ?? []
        guard !words.isEmpty else { throw .value(filter.place(of: "values"), "has no state; allowed are \(states).") }
        for (index, word) in words.enumerated() where !TaskStatus(rawValue: word).isKnown {
            throw .value(
                "\(filter.place(of: "values"))[\(index)]", "is '\(Sanitised.text(word))'; allowed are \(states).")
        }
        return words.map(TaskStatus.init(rawValue:))
    }

    private static let states = [TaskStatus.submitted, .processing, .succeed, .failed].map(\.rawValue)
        .joined(separator: ", ")
}
