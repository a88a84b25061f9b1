/// What messages say to clients is true.
extension Reconciliation {
    var words: [Violation] { denials + doubts }

    private static let denying = ["nothing was charged", "nothing was made", "never reached kling"]

    private static func denies(_ message: String) -> Bool {
        let message = message.lowercased()
        return denying.contains { message.contains($0) }
    }

    /// "Nothing was charged" is said for good only about tasks that Kling does not have.
    private var denials: [Violation] {
        let answered = creates.compactMap { create -> Violation? in
            guard let task = lastUntorn(create),
                case .refused(let status, _, let message, _, _)? = create.attempts.last?.outcome, Self.denies(message)
            else { return nil }
            return Violation(
                kind: .chargedButDenied, create: create.number,
                explanation: "\(task.id) (\(task.account)) was made, and the last answer was \(status) \(message)")
        }
        let recorded = books.store.compactMap { row -> Violation? in
            guard let task = upstreamByGatewayID[row.id], row.isFinal, Self.denies(row.message ?? "") else {
                return nil
            }
            return Violation(
                kind: .chargedButDenied, create: task.number,
                explanation: "\(task.id) (\(task.account)) was made, and \(row.id) ended: \(row.message ?? "")")
        }
        return answered + recorded
    }

    /// A create that Kling has clearly refused is not reported as one that may have been made. After a kill, Kling's
    /// answer is unknown.
    private var doubts: [Violation] {
        creates.compactMap { create in
            guard case .refused(let status, _, let message, let id?, _)? = create.attempts.first?.outcome,
                [502, 504].contains(status), let arrivals = arrivals[id],
                arrivals.allSatisfy({ $0.outcome == .refused })
            else { return nil }
            let all = arrivals.map(\.account).joined(separator: " and ")
            return Violation(
                kind: .doubtedWrongly, create: create.number,
                explanation: "\(id) was refused by \(all), and answered \(status) \(message)")
        }
    }
}
