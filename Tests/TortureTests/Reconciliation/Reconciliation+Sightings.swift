/// Everything that clients saw during the run is consistent.
extension Reconciliation {
    var sightings: [Violation] {
        failedQuestions + postponed + forgottenForATime + changedIDs + backwardSteps + pictures
    }

    /// A picture's URL names its own task.
    private var pictures: [Violation] {
        let seen = books.clients.sightings.flatMap { sighting -> [SeenTask] in
            if case .tasks(let tasks) = sighting.finding { tasks } else { [] }
        }
        let shown = Set(seen + books.lists.values.flatMap(\.self) + books.answers.values.compactMap(\.self))
        return shown.sorted { $0.id < $1.id }.compactMap { task in
            guard let picture = task.picture, let own = upstream(of: task.id), !picture.contains("/\(own.id)/") else {
                return nil
            }
            return Violation(
                kind: .strangersPicture, create: own.number,
                explanation: "\(task.id) is \(own.id), shown was \(picture)")
        }
    }

    private var failedQuestions: [Violation] {
        books.clients.sightings.compactMap { sighting in
            guard case .error(let status) = sighting.finding else { return nil }
            let question = sighting.question == .list ? "a list" : "a query"
            return Violation(
                kind: .queryFailed, explanation: "\(question) at \(time(sighting.began)) was answered \(status)")
        }
    }

    /// A power cut may take Kling's id of a task that a client was told of. Until the gateway has found the task again,
    /// it may ask clients to come back later, and only then.
    private var postponed: [Violation] {
        let tellings = tellings
        var finds: [Books.Question: [Sighting]] = [:]
        for sighting in books.clients.sightings {
            guard case .id(let id) = sighting.question, case .tasks = sighting.finding,
                let telling = tellings[Books.Question(tenant: sighting.tenant, id: id)]
            else { continue }
            finds[Books.Question(tenant: sighting.tenant, id: telling.id), default: []].append(sighting)
        }
        return books.clients.sightings.compactMap { sighting in
            guard sighting.finding == .later else { return nil }
            func violation(_ what: String, _ create: Int? = nil) -> Violation {
                let explanation = "to be asked again later at \(time(sighting.began)): \(what)"
                return Violation(kind: .queryFailed, create: create, explanation: explanation)
            }
            guard case .id(let id) = sighting.question else { return violation("a list") }
            guard let telling = tellings[Books.Question(tenant: sighting.tenant, id: id)] else {
                return violation("\(id), which no client was told of")
            }
            guard let cut = books.clients.powerCuts.last(where: { $0.upperBound <= sighting.ended }),
                telling.at <= cut.upperBound
            else { return violation("\(id), told at \(time(telling.at)) and not before a power cut", telling.create) }
            let found = finds[Books.Question(tenant: sighting.tenant, id: telling.id)]?.first {
                $0.began >= cut.upperBound && $0.ended < sighting.began
            }
            return found.map { violation("\(id), found again at \(time($0.began))", telling.create) }
        }
    }

    /// When a client was first told of a task that it can ask for by this id.
    private struct Telling {
        let create: Int
        /// What it was told.
        let id: String
        let at: Moment
    }

    private var tellings: [Books.Question: Telling] {
        Dictionary(
            told.flatMap { told in
                [told.id, told.create.externalTaskID].compactMap(\.self).map {
                    (
                        Books.Question(tenant: told.create.tenant, id: $0),
                        Telling(create: told.create.number, id: told.id, at: told.at)
                    )
                }
            }
        ) { $0.at < $1.at ? $0 : $1 }
    }

    /// A query that began after the client was told of the task must find it.
    private var forgottenForATime: [Violation] {
        let tellings = tellings
        return books.clients.sightings.compactMap { sighting in
            guard sighting.finding == .unknown, case .id(let id) = sighting.question,
                let telling = tellings[Books.Question(tenant: sighting.tenant, id: id)], telling.at < sighting.began
            else { return nil }
            return Violation(
                kind: .forgotten, create: telling.create,
                explanation: "told at \(time(telling.at)), and \(id) was unknown at \(time(sighting.began))")
        }
    }

    /// A query by a client's own id finds the task that the client was told of.
    private var changedIDs: [Violation] {
        let own = Dictionary(
            told.compactMap { told in
                told.create.externalTaskID.map {
                    (Books.Question(tenant: told.create.tenant, id: $0), (told.create.number, told.id))
                }
            }
        ) { first, _ in first }
        return books.clients.sightings.compactMap { sighting in
            guard case .id(let id) = sighting.question, case .tasks(let tasks) = sighting.finding,
                let seen = tasks.first, let (number, told) = own[Books.Question(tenant: sighting.tenant, id: id)],
                seen.id != told, !isAmongSeveral(number)
            else { return nil }
            return Violation(
                kind: .idChanged, create: number,
                explanation: "\(told) was told, and \(id) was \(seen.id) at \(time(sighting.began))")
        }
    }

    /// Whether a create may have made more tasks than its client was told of, all under its client's own id.
    private func isAmongSeveral(_ number: Int) -> Bool {
        books.clients.creates[number].map { $0.tornAnswers > 0 } == true
    }

    /// One look at one task.
    private struct Look {
        let task: SeenTask
        let began, ended: Moment
    }

    /// A later look shows no earlier state. Looks that overlap in time say nothing about each other.
    private var backwardSteps: [Violation] {
        looks.sorted { $0.key.id < $1.key.id }.compactMap { question, looks in
            var furthest: Look?
            var pending: [Look] = []
            for look in looks.sorted(by: { $0.began < $1.began }) {
                for past in pending where past.ended < look.began && (past.task.rank ?? 0) >= (furthest?.task.rank ?? 0)
                {
                    furthest = past
                }
                pending.removeAll { $0.ended < look.began }
                if let furthest, Self.isBackward(from: furthest.task, to: look.task) {
                    let number = upstream(of: question.id)?.number
                    let from = "\(furthest.task.status) at \(time(furthest.ended))"
                    return Violation(
                        kind: .wentBack, create: number,
                        explanation: "\(question.id) was \(from), and \(look.task.status) at \(time(look.began))")
                }
                pending.append(look)
            }
            return nil
        }
    }

    static func isBackward(from earlier: SeenTask, to later: SeenTask) -> Bool {
        guard let before = earlier.rank, let after = later.rank else { return false }
        return after < before || earlier.isFinal && later.status != earlier.status
    }

    private var looks: [Books.Question: [Look]] {
        var looks: [Books.Question: [Look]] = [:]
        for sighting in books.clients.sightings {
            guard case .tasks(let tasks) = sighting.finding else { continue }
            for task in tasks {
                looks[Books.Question(tenant: sighting.tenant, id: task.id), default: []]
                    .append(Look(task: task, began: sighting.began, ended: sighting.ended))
            }
        }
        for create in creates {
            for attempt in create.attempts {
                guard case .accepted(let task) = attempt.outcome else { continue }
                // A replayed answer shows an old state.
                if create.attempts.count > 1 { continue }
                looks[Books.Question(tenant: create.tenant, id: task.id), default: []]
                    .append(Look(task: task, began: attempt.began, ended: attempt.ended))
            }
        }
        return looks
    }
}
