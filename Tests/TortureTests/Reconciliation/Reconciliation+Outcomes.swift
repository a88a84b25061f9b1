import KlingAPI

/// What clients were answered agrees with the outcomes of their creates.
extension Reconciliation {
    /// Accepted creates were made, unless Kling refused them permanently.
    var outcomes: [Violation] {
        creates.compactMap { create in
            guard create.isAccepted, upstreamByCreate[create.number] == nil, let id = create.told.first?.id else {
                return nil
            }
            let row = storeByID[id]
            if let row, mayStayUnmade(row) { return nil }
            if row?.state == "failed", isContentRefusal(create.tenant, id) { return nil }
            return Violation(
                kind: .acceptedNotMade, create: create.number,
                explanation: "\(id) is \(row?.state ?? "nowhere") in the store, and not at Kling")
        }
    }

    /// Whether the task's owner is told that Kling refused its content; true until the final queries have been made.
    private func isContentRefusal(_ tenant: String, _ id: String) -> Bool {
        guard let answer = books.answers[Books.Question(tenant: tenant, id: id)] else { return true }
        return answer?.message?.contains(KlingCode.contentPolicy.meaning) == true
    }

    /// Permanent refusals are Kling's, and one create has one id.
    var promises: [Violation] { refusedWrongly + secondIDs }

    private var refusedWrongly: [Violation] {
        creates.compactMap { create in
            let wrong = create.attempts.lazy.compactMap { attempt -> String? in
                guard case .refused(let status, let code, let message, _, _) = attempt.outcome,
                    !create.mayBeInUse(attempt.outcome)
                else { return nil }
                let isPassing = status == 429 || [502, 503, 504].contains(status) || status == 409 && create.hasKey
                return isPassing || code == KlingCode.contentPolicy.rawValue
                    ? nil : "\(status)/\(code.map(String.init) ?? "-") \(message)"
            }
            return wrong.first.map { Violation(kind: .refusedWrongly, create: create.number, explanation: $0) }
        }
    }

    private var secondIDs: [Violation] {
        creates.compactMap { create in
            let ids = create.told.map(\.id)
            guard ids.count > create.wanted else { return nil }
            let all = ids.joined(separator: ", then ")
            return Violation(kind: .idChanged, create: create.number, explanation: "its client was told \(all)")
        }
    }
}
