/// The store agrees with Kling.
extension Reconciliation {
    var records: [Violation] { books.upstream.compactMap(record) + strangers + damages }

    private var damages: [Violation] { books.damages.map { Violation(kind: .storeDamaged, explanation: $0) } }

    /// What is wrong with the record of a task at Kling, if anything.
    private func record(of task: UpstreamTask) -> Violation? {
        func violation(_ kind: Violation.Kind, _ explanation: String) -> Violation {
            Violation(kind: kind, create: task.number, explanation: "\(task.id) (\(task.account)): \(explanation)")
        }
        let rows = storeByUpstreamID[task.id] ?? []
        guard let row = rows.first else {
            guard let open = task.externalTaskID.flatMap({ storeByID[$0] }) else {
                return violation(.lost, "the store knows neither it nor \(task.externalTaskID ?? "an id of its own")")
            }
            if mayStayOpen(open) { return nil }
            if !open.isFinal { return violation(.unresolved, "\(open.id) is \(open.state) and without Kling's id") }
            return violation(.storeDisagrees, "\(open.id) ended as \(open.state), without Kling's id")
        }
        if rows.count > 1 {
            return violation(.storeDisagrees, "\(rows.map(\.id).joined(separator: " and ")) both have it")
        }
        guard row.id == task.externalTaskID, row.account == gatewayName(task.account) else {
            return violation(
                .storeDisagrees,
                "the store has it as \(row.id) of \(row.account ?? "no account"), Kling as \(task.externalTaskID ?? "?")"
            )
        }
        if let tenant = task.number.flatMap({ books.clients.creates[$0]?.tenant }), tenant != row.tenant {
            return violation(.shownToAnother, "\(tenant) made it, \(row.tenant) has it")
        }
        guard row.state == task.status || mayStayOpen(row) else {
            return violation(.storeDisagrees, "\(row.id) is \(row.state) in the store and \(task.status) at Kling")
        }
        return nil
    }

    /// Records of tasks that Kling never made.
    private var strangers: [Violation] {
        books.store.compactMap { row in
            guard let upstreamID = row.upstreamID, upstreamByID[upstreamID] == nil else { return nil }
            return Violation(kind: .storeDisagrees, explanation: "\(row.id): Kling does not have \(upstreamID)")
        }
    }
}
