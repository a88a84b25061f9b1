/// Nothing is paid twice, and nothing that nobody asked for.
extension Reconciliation {
    var payments: [Violation] { madeTwice + idsReused + madeFromHalf + retriesInvited }

    private var madeTwice: [Violation] {
        upstreamByCreate.sorted { $0.key < $1.key }.compactMap { number, tasks in
            guard tasks.count > 1 else { return nil }
            let each = tasks.map {
                "\($0.id) (\($0.account), \($0.externalTaskID ?? "without an id of the gateway's"))"
            }
            return Violation(kind: .madeTwice, create: number, explanation: each.joined(separator: " and "))
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

    /// A client that believes the last answer it got would send the create again: nothing may have been made then.
    private var retriesInvited: [Violation] {
        creates.compactMap { create in
            guard let task = upstreamByCreate[create.number]?.first, !create.hasKey,
                case .refused(let status, _, _, let taskID, false)? = create.attempts.last?.outcome
            else { return nil }
            return Violation(
                kind: .retryInvited, create: create.number,
                explanation: "\(status) came without x-should-retry: false (\(taskID ?? "no id")); \(task.id) was made")
        }
    }
}
