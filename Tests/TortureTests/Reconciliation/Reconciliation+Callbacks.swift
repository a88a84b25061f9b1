/// Clients that asked for callbacks got them in order, once for each state, about their own task, and about its end.
/// After a power cut, callbacks may come again.
extension Reconciliation {
    var callbacks: [Violation] {
        let arrived = Dictionary(grouping: books.clients.callbacks, by: \.create)
        return creates.flatMap { create in
            let own = (arrived[create.number] ?? []).sorted { $0.at < $1.at }
            // If two tasks share a receiver, a callback cannot be attributed to one of them.
            if sharesReceiver(create, own) { return own.compactMap { forged(create, $0) } }
            let single = own.compactMap { wrong(create, $0) }
            return missing(create, own) + early(create, own) + single + disorder(create, own) + repeated(create, own)
        }
    }

    /// Whether several tasks call one receiver, because Kling has them or because a torn answer told of one.
    private func sharesReceiver(_ create: CreateEntry, _ arrived: [Callback]) -> Bool {
        if (upstreamByCreate[create.number]?.count ?? 0) > 1 { return true }
        let ids = Set(arrived.map(\.task.id)).union(create.told.map(\.id))
        return !create.hasKey && create.tornAnswers > 0 && ids.count > 1
    }

    private func missing(_ create: CreateEntry, _ arrived: [Callback]) -> [Violation] {
        guard create.wantsCallback, let told = create.told.first, let end = end(of: told.id),
            record(of: told.id).map(mayStayOpen) != true,
            !arrived.contains(where: { $0.wasTaken && $0.task.status == end })
        else { return [] }
        let states = arrived.map { "\($0.task.status) at \(time($0.at))\($0.wasTaken ? "" : " (not taken)")" }
        let came = states.isEmpty ? "none came" : "there came \(states.joined(separator: ", "))"
        return [
            Violation(
                kind: .callbackMissing, create: create.number,
                explanation: "\(told.id) ended as \(end); \(came)")
        ]
    }

    /// How a task ended: at Kling, or without ever reaching it.
    private func end(of id: String) -> String? {
        if let task = upstream(of: id) { return task.isFinal ? task.status : nil }
        return storeByID[id]?.state == "failed" ? "failed" : nil
    }

    /// How much earlier a callback may be recorded than the answer that was sent before it, in microseconds.
    private static let earliness = 100_000

    /// If a client waited for its only answer, no callback comes before that answer.
    private func early(_ create: CreateEntry, _ arrived: [Callback]) -> [Violation] {
        guard create.attempts.count == 1, create.isAccepted, let answered = create.attempts.first?.ended,
            let first = arrived.first, first.at + Self.earliness < answered
        else { return [] }
        let explanation = "\(first.task.status) came at \(time(first.at)), the answer at \(time(answered))"
        return [Violation(kind: .callbackEarly, create: create.number, explanation: explanation)]
    }

    private func forged(_ create: CreateEntry, _ callback: Callback) -> Violation? {
        if callback.isSigned { return nil }
        return Violation(
            kind: .callbackForged, create: create.number,
            explanation: "\(callback.id) at \(time(callback.at)) is not verified by the tenant's secret")
    }

    private func wrong(_ create: CreateEntry, _ callback: Callback) -> Violation? {
        func violation(_ kind: Violation.Kind, _ explanation: String) -> Violation {
            Violation(
                kind: kind, create: create.number, explanation: "\(callback.id) at \(time(callback.at)) \(explanation)")
        }
        if let forged = forged(create, callback) { return forged }
        if !create.wantsCallback { return violation(.callbackWrong, "was not asked for") }
        if callback.task.externalTaskID != create.externalTaskID {
            return violation(.callbackWrong, "names \(callback.task.externalTaskID ?? "no external_task_id")")
        }
        if let told = create.told.first?.id, told != callback.task.id {
            return violation(.callbackWrong, "is about \(callback.task.id), the client was told \(told)")
        }
        if callback.task.isFinal, let task = upstream(of: callback.task.id), task.status != callback.task.status {
            return violation(.callbackWrong, "says \(callback.task.status), Kling has \(task.status)")
        }
        return nil
    }

    private func disorder(_ create: CreateEntry, _ arrived: [Callback]) -> [Violation] {
        // The furthest state that has come, and the one since the last power cut.
        var furthest, current: Callback?
        var seen: Set<String> = []
        for callback in arrived {
            if let last = current, isCut(last, callback) { current = nil }
            // What has come before a power cut may come again after it; what is new comes after all that.
            let isNew = seen.insert(callback.task.status).inserted
            if let earlier = isNew ? furthest : current, Self.isBackward(from: earlier.task, to: callback.task) {
                let before = "\(earlier.task.status) came at \(time(earlier.at))"
                return [
                    Violation(
                        kind: .callbackDisorder, create: create.number,
                        explanation: "\(before), \(callback.task.status) at \(time(callback.at))")
                ]
            }
            current = callback
            if isNew { furthest = callback }
        }
        return []
    }

    /// Whether the power was cut between two callbacks.
    private func isCut(_ earlier: Callback, _ later: Callback) -> Bool {
        books.clients.powerCuts.contains { $0.upperBound >= earlier.at && $0.lowerBound <= later.at }
    }

    private func repeated(_ create: CreateEntry, _ arrived: [Callback]) -> [Violation] {
        Dictionary(grouping: arrived, by: \.task.status).sorted { $0.key < $1.key }.compactMap { status, callbacks in
            // After a power cut, the gateway may not know the id that it gave to the event before.
            let pair = zip(callbacks, callbacks.dropFirst()).first { $0.id != $1.id && !isCut($0, $1) }
            guard let (first, second) = pair else { return nil }
            return Violation(
                kind: .callbackRepeated, create: create.number,
                explanation: "\(status) came as \(first.id) and \(second.id)")
        }
    }
}
