/// Nothing is paid for twice, and nothing is paid for that no client asked for.
extension Reconciliation {
    var payments: [Violation] { madeTwice + merged + idsReused + sentAgain + madeFromHalf + retriesInvited }

    /// How many tasks a create may have made: as many as its client wants, and without a key one more per torn answer.
    private func allowed(_ number: Int) -> Int {
        guard let create = books.clients.creates[number] else { return 1 }
        return create.wanted + (create.hasKey ? 0 : create.tornAnswers)
    }

    private var madeTwice: [Violation] {
        upstreamByCreate.sorted { $0.key < $1.key }.compactMap { number, tasks in
            guard tasks.count > allowed(number) else { return nil }
            let each = tasks.map {
                "\($0.id) (\($0.account), \($0.externalTaskID ?? "without an id of the gateway's"))"
            }
            return Violation(kind: .madeTwice, create: number, explanation: each.joined(separator: " and "))
        }
    }

    /// For how many microseconds after an answer a gateway that dies may still believe that the client has not read it.
    private static let doubt = 150_000
    /// How much longer it takes if the disk is slow, as it is before a power cut.
    private static let slowness = 100_000

    /// Whether the gateway died before it can have recorded that an answer was read: at once, or after a store outage
    /// that began before the record was due and lasted until just before the kill. Time in which the machine was too
    /// busy does not count.
    private func isDoubtful(_ answer: Moment) -> Bool {
        books.clients.kills.contains { kill in
            let held = books.clients.outages.filter { $0.overlaps(answer...(answer + Self.doubt)) }.map(\.upperBound)
            let isSlow = books.clients.powerCuts.contains { $0.contains(kill) }
            let doubt = Self.doubt + (isSlow ? Self.slowness : 0)
            let kept = held.reduce(answer, max) + doubt + (kill > answer ? lag(answer...kill) : 0)
            return (answer - Self.doubt...kept).contains(kill)
        }
    }

    /// For how much of a time the machine was too busy.
    private func lag(_ time: ClosedRange<Moment>) -> Int {
        books.clients.lags.filter { $0.overlaps(time) }.reduce(0) { sum, lag in
            let part = lag.clamped(to: time)
            return sum + part.upperBound - part.lowerBound
        }
    }

    /// A client that has read an answer and then sends the same create wants another task.
    private var merged: [Violation] {
        creates.compactMap { create in
            for (first, second) in zip(create.acceptances, create.acceptances.dropFirst()) where first.id == second.id {
                guard create.wanted > 1, !isDoubtful(first.at) else { continue }
                return Violation(
                    kind: .merged, create: create.number,
                    explanation: "\(first.id) was told at \(time(first.at)), and again at \(time(second.at)); "
                        + surroundings(of: first.at))
            }
            return nil
        }
    }

    /// What may have kept the gateway from recording that an answer was read.
    private func surroundings(of answer: Moment) -> String {
        guard let kill = books.clients.kills.filter({ $0 >= answer }).min() else { return "it was not killed since" }
        let near = (answer - 3_000_000)...kill
        let outages = books.clients.outages.filter { $0.overlaps(near) }.map {
            "\(time($0.lowerBound)) to \(time($0.upperBound))"
        }
        return "killed at \(time(kill)), too busy for \(lag(answer...kill) / 1000) ms of that, outages: "
            + (outages.isEmpty ? "none" : outages.joined(separator: ", "))
    }

    /// At an account that makes another task for the same id, no create follows one whose outcome is unknown.
    private var sentAgain: [Violation] {
        arrivals.sorted { $0.key < $1.key }.compactMap { id, creates in
            guard let first = creates.firstIndex(where: { kind($0.account) != .kling && $0.outcome != .refused }),
                first + 1 < creates.count
            else { return nil }
            let all = creates.map { "\($0.outcome) at \($0.account)" }.joined(separator: ", then ")
            return Violation(
                kind: .sentAgain, create: upstreamByGatewayID[id]?.number, explanation: "\(id) was \(all)")
        }
    }

    private var idsReused: [Violation] {
        Dictionary(grouping: books.upstream.filter { $0.externalTaskID != nil }) { $0.externalTaskID ?? "" }
            .filter { $0.value.count > 1 }.sorted { $0.key < $1.key }
            .map { id, tasks in
                let each = tasks.map { "\($0.id) (\($0.account))" }.joined(separator: " and ")
                return Violation(kind: .idReused, create: tasks[0].number, explanation: "\(id) is \(each)")
            }
    }

    private var madeFromHalf: [Violation] {
        creates.compactMap { create in
            guard let task = upstreamByCreate[create.number]?.first,
                create.attempts.allSatisfy({ $0.outcome == .left(isWhole: false) })
            else { return nil }
            return Violation(kind: .madeFromHalf, create: create.number, explanation: "\(task.id) was made")
        }
    }

    /// The task that the last answer a client read can be about: one that no earlier answer can have told of, whether
    /// or not the client read that. After it, the client's next request is another create to the gateway.
    func lastUntorn(_ create: CreateEntry) -> UpstreamTask? {
        let told = create.hasKey ? 0 : create.tornAnswers + Set(create.acceptances.map(\.id)).count
        return upstreamByCreate[create.number]?.dropFirst(told).first
    }

    /// A client that believes its last answer would resend the create, so nothing may have been made.
    private var retriesInvited: [Violation] {
        creates.compactMap { create in
            guard let task = lastUntorn(create), !create.hasKey,
                let last = create.attempts.last?.outcome, !create.mayBeInUse(last),
                case .refused(let status, _, _, let taskID, false) = last
            else { return nil }
            return Violation(
                kind: .retryInvited, create: create.number,
                explanation: "\(status) came without x-should-retry: false (\(taskID ?? "no id")); \(task.id) was made")
        }
    }
}
