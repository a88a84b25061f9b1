/// At the end, every client finds its own tasks in their true state.
extension Reconciliation {
    var views: [Violation] { told.flatMap(view) + shown.flatMap(view) + lists }

    /// A task that a client was told of.
    private func view(_ create: CreateEntry, _ id: String, _ at: Moment, _ upstream: UpstreamTask?) -> [Violation] {
        func violation(_ kind: Violation.Kind, _ explanation: String) -> Violation {
            Violation(kind: kind, create: create.number, explanation: explanation)
        }
        var found: [Violation] = []
        let isOutOfReach = isOutOfReach(id, told: at)
        if !isListed(create.tenant, id), !isOutOfReach {
            found.append(violation(.notListed, "\(id) was told at \(time(at))"))
        }
        for asked in [id, create.externalTaskID].compactMap(\.self) {
            let question = Books.Question(tenant: create.tenant, id: asked)
            if books.postponed.contains(question) {
                if isOutOfReach { continue }
                let explanation = "\(id) was told at \(time(at)), and \(asked) is to be asked for later in the end"
                found.append(violation(.forgotten, explanation))
                continue
            }
            guard let answer = books.answers[question] else { continue }
            guard let answer else {
                found.append(violation(.forgotten, "\(id) was told at \(time(at)), and \(asked) is unknown in the end"))
                continue
            }
            if answer.id != id { found.append(violation(.idChanged, "\(asked) is \(answer.id), \(id) was told")) }
            if let upstream, answer.status != upstream.status, record(of: id).map(mayStayOpen) != true {
                found.append(violation(.wrongState, "\(id) is shown \(answer.status), Kling has \(upstream.status)"))
            }
        }
        return found
    }

    /// Tasks at Kling whose records have a public id, whether or not a client was told of it.
    private var shown: [StoreTask] {
        books.store.filter { $0.publicID != nil && $0.upstreamID.map { upstreamByID[$0] != nil } == true }
    }

    private func view(_ row: StoreTask) -> [Violation] {
        guard let id = row.publicID, let upstream = row.upstreamID.flatMap({ upstreamByID[$0] }) else { return [] }
        let create = upstream.number.flatMap { books.clients.creates[$0] }
        if create?.told.contains(where: { $0.id == id }) == true { return [] }
        var found: [Violation] = []
        if !isListed(row.tenant, id) {
            found.append(
                Violation(
                    kind: .notListed, create: create?.number,
                    explanation: "\(id) is in the store, but no client was told of it"))
        }
        let question = Books.Question(tenant: row.tenant, id: id)
        let isUnknown = if case .some(.none) = books.answers[question] { true } else { false }
        if isUnknown || books.postponed.contains(question) {
            found.append(
                Violation(
                    kind: .forgotten, create: create?.number,
                    explanation: "\(id) is in the store, but no client was told of it"))
        }
        return found
    }

    private func isListed(_ tenant: String, _ id: String) -> Bool { listed[tenant]?.contains(id) == true }

    /// Lists show each task once, in its true state, and only to its owner.
    private var lists: [Violation] {
        books.lists.sorted { $0.key < $1.key }.flatMap { tenant, tasks in
            var seen: Set<String> = []
            return tasks.compactMap { task -> Violation? in
                let upstream = upstream(of: task.id)
                let create = upstream?.number.flatMap { books.clients.creates[$0] }
                func violation(_ kind: Violation.Kind, _ explanation: String) -> Violation {
                    Violation(kind: kind, create: create?.number, explanation: "\(task.id) \(explanation)")
                }
                if !seen.insert(task.id).inserted { return violation(.idChanged, "stands twice in \(tenant)'s list") }
                if let create, create.tenant != tenant { return violation(.shownToAnother, "is in \(tenant)'s list") }
                guard let upstream, upstream.status != task.status, record(of: task.id).map(mayStayOpen) != true else {
                    return nil
                }
                return violation(.wrongState, "is listed as \(task.status), Kling has \(upstream.status)")
            }
        }
    }
}

/// Formats a moment for people.
func time(_ moment: Moment) -> String {
    let milliseconds = String(moment / 1000 % 1000)
    return "\(moment / 1_000_000)." + String(repeating: "0", count: 3 - milliseconds.count) + milliseconds + " s"
}
