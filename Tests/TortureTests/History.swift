/// Everything that is known about one create, in the order in which it happened.
struct History: Sendable {
    private let books: Books
    private let gateway: GatewayUnderTest

    private static let logLines = 20

    init(_ books: Books, _ gateway: GatewayUnderTest) {
        self.books = books
        self.gateway = gateway
    }

    func lines(_ number: Int) -> [String] {
        guard let create = books.clients.creates[number] else { return [] }
        let tasks = books.upstream.filter { $0.number == number }
        let ids = Set(create.told.map(\.id) + tasks.flatMap { [$0.id, $0.externalTaskID].compactMap(\.self) })
        var header = "\(create.tenant)'s"
        if let id = create.externalTaskID { header += ", external_task_id \(id)" }
        if create.hasKey { header += ", with an Idempotency-Key" }
        if create.wantsCallback { header += ", to be called back" }
        let events =
            create.attempts.map { ($0.began, "\(time($0.began)) to \(time($0.ended)): \($0.outcome.text)") }
            + seen(create, ids) + called(number)
        return [header] + (events + powerCuts(during: events)).sorted { $0.0 < $1.0 }.map(\.1)
            + tasks.map { "Kling: \($0.id) of \($0.account) as \($0.externalTaskID ?? "-") is \($0.status)" }
            + rows(tasks, ids) + gateway.logLines(about: Array(ids), limit: Self.logLines)
    }

    /// What queries found, whenever it changed.
    private func seen(_ create: CreateEntry, _ ids: Set<String>) -> [(Moment, String)] {
        var last: [String: Sighting.Finding] = [:]
        return books.clients.sightings.sorted { $0.began < $1.began }.compactMap { sighting in
            guard case .id(let asked) = sighting.question, sighting.tenant == create.tenant,
                ids.contains(asked) || asked == create.externalTaskID,
                last.updateValue(sighting.finding, forKey: asked) != sighting.finding
            else { return nil }
            let found =
                switch sighting.finding {
                case .tasks(let tasks): tasks.map { "\($0.id) \($0.status)" }.joined(separator: ", ")
                case .unknown: "unknown"
                case .later: "to be asked for later"
                case .error(let status): "answered \(status)"
                }
            return (sighting.began, "\(time(sighting.began)): \(asked) was \(found)")
        }
    }

    /// The power cuts between the first of some events and the last.
    private func powerCuts(during events: [(Moment, String)]) -> [(Moment, String)] {
        let times = events.map(\.0)
        return books.clients.powerCuts.map(\.lowerBound).filter { cut in
            times.contains { $0 < cut } && times.contains { $0 > cut }
        }
        .map { ($0, "\(time($0)): the power was cut") }
    }

    private func called(_ number: Int) -> [(Moment, String)] {
        books.clients.callbacks.filter { $0.create == number }.map { callback in
            let taken = callback.wasTaken ? "taken" : "not taken"
            return (callback.at, "\(time(callback.at)): called, \(callback.task.status) (\(callback.id)), \(taken)")
        }
    }

    private func rows(_ tasks: [UpstreamTask], _ ids: Set<String>) -> [String] {
        books.store.filter { row in
            ids.contains(row.id) || row.upstreamID.map { id in tasks.contains { $0.id == id } } == true
        }
        .map { row in
            "store: \(row.id), public \(row.publicID ?? "-"), Kling's \(row.upstreamID ?? "-"), \(row.account ?? "no account"), \(row.state)"
        }
    }
}

extension Attempt.Outcome {
    /// The outcome in words.
    fileprivate var text: String {
        switch self {
        case .accepted(let task): "200, \(task.id) \(task.status)"
        case .refused(let status, let code, let message, let taskID, let forbidsRetry):
            "\(status)/\(code.map(String.init) ?? "-") \(message)\(taskID.map { " (\($0))" } ?? "")"
                + (forbidsRetry ? ", not to be sent again" : "")
        case .nothing(let wasSent, let reason): "no answer: \(reason), \(wasSent ? "sent" : "not sent")"
        case .cut(let hasArrived): hasArrived ? "cut in the middle of the answer" : "cut before the answer"
        case .left(let isWhole): isWhole ? "left without waiting" : "left in the middle of the body"
        }
    }
}
