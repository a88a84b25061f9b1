/// The books that the cases start from, and the changes that cases make to them.
extension Books {
    /// Three creates: one that was accepted, called back and seen to its end; one whose answer was lost, which is known
    /// by the gateway's id; one whose client never heard of it.
    static var consistent: Books {
        var books = Books()
        books.upstream = [
            .made("k1", by: 1, as: "g1"), .made("k2", by: 2, as: "g2", at: "second", status: "failed"),
            .made("k3", by: 3, as: "g3"),
        ]
        books.store = [
            StoreTask("g1", public: "k1", upstream: "k1", tenant: "alpha"),
            StoreTask("g2", public: "g2", upstream: "k2", tenant: "beta", account: "second", state: "failed"),
            StoreTask("g3", public: "k3", upstream: "k3", tenant: "alpha"),
        ]
        books.budgets = BudgetBook(
            usage: [
                "alpha": BudgetBook.Usage(succeeded: 2, units: 2_000_000), "beta": BudgetBook.Usage(failed: 1),
            ],
            budgets: ["alpha": BudgetBook.Budget(limit: 2, used: 2, held: 0)])
        books.clients.creates = [
            1: CreateEntry(
                number: 1, tenant: "alpha", externalTaskID: "order-1", hasKey: true, wantsCallback: true,
                attempts: [
                    Attempt(at: 10, .nothing(wasSent: true, reason: "closed")),
                    Attempt(at: 12, .accepted(SeenTask(id: "k1", status: "submitted", externalTaskID: "order-1"))),
                ]),
            2: CreateEntry(number: 2, tenant: "beta", attempts: [Attempt(at: 10, .failed(502, taskID: "g2"))]),
            3: CreateEntry(
                number: 3, tenant: "alpha", attempts: [Attempt(at: 10, .nothing(wasSent: true, reason: "timeout"))]),
        ]
        books.clients.callbacks = [
            Callback("m1", "submitted", at: 20), Callback("m2", "processing", at: 30),
            Callback("m3", "succeed", at: 40),
        ]
        for (status, at) in [("submitted", 21), ("processing", 31), ("succeed", 41)] {
            books.see("k1", at: at, .tasks([SeenTask(id: "k1", status: status)]))
        }
        books.lists = [
            "alpha": [SeenTask(id: "k3", status: "succeed"), SeenTask(id: "k1", status: "succeed")],
            "beta": [SeenTask(id: "g2", status: "failed")],
        ]
        for id in ["k1", "order-1"] { books.answer("alpha", id, SeenTask(id: "k1", status: "succeed")) }
        books.answer("beta", "g2", SeenTask(id: "g2", status: "failed"))
        books.answer("alpha", "k3", SeenTask(id: "k3", status: "succeed"))
        return books
    }

    /// Lets usage follow from the store's records.
    mutating func balance() {
        let reconciliation = Reconciliation(self)
        budgets = BudgetBook()
        for tenant in Set(store.map(\.tenant)) { budgets.usage[tenant] = reconciliation.usage(of: tenant) }
    }

    mutating func answer(_ tenant: String, _ id: String, _ task: SeenTask?) {
        answers[Question(tenant: tenant, id: id)] = .some(task)
    }

    mutating func see(_ id: String, at: Moment, for duration: Int = 2, _ finding: Sighting.Finding) {
        see(.id(id), at: at, for: duration, finding)
    }

    mutating func see(
        _ question: Sighting.Question, at: Moment, for duration: Int = 2, _ finding: Sighting.Finding
    ) {
        clients.sightings.append(
            Sighting(tenant: "alpha", question: question, began: at, ended: at + duration, finding: finding))
    }

    /// Adds a create that was accepted under the gateway's id and is not at Kling.
    mutating func addQueued(state: String, message: String?) {
        let status = state == "queued" ? "submitted" : state
        clients.creates[4] = CreateEntry(
            number: 4, tenant: "beta", attempts: [Attempt(at: 10, .accepted(SeenTask(id: "g4", status: "submitted")))])
        store.append(StoreTask("g4", public: "g4", upstream: nil, tenant: "beta", state: state))
        lists["beta"]?.append(SeenTask(id: "g4", status: status))
        answer("beta", "g4", SeenTask(id: "g4", status: status, message: message))
    }

    /// Adds what is known about an account.
    mutating func know(_ name: String, as gatewayName: String? = nil, _ kind: AccountPlan.Account.Kind) {
        accounts[name] = AccountPlan.Account(
            name: name, gatewayName: gatewayName ?? name, kind: kind, slots: 3, lag: ("0", false))
    }

    /// Lets another account take over the name of the first.
    mutating func swapFirst() {
        know("first", .kling)
        know("first-other", as: "first", .kling)
    }

    /// Adds a fourth create, of a client that resends without a key: the outcomes of its attempts, a tenth of a second
    /// apart, and the number of its tasks, from `k4` on.
    mutating func addRepeated(_ outcomes: [Attempt.Outcome], wanted: Int = 1, make count: Int) {
        let entry = CreateEntry(
            number: 4, tenant: "beta", resends: true, wanted: wanted,
            attempts: outcomes.enumerated().map { Attempt(at: ($0 + 1) * 100_000, $1) })
        clients.creates[4] = entry
        for number in 4..<4 + count {
            let (id, gatewayID) = ("k\(number)", "g\(number)")
            let publicID = entry.told.contains { $0.id == gatewayID } ? gatewayID : id
            upstream.append(.made(id, by: 4, as: gatewayID))
            store.append(StoreTask(gatewayID, public: publicID, upstream: id, tenant: "beta"))
            lists["beta"]?.append(SeenTask(id: publicID, status: "succeed"))
            answer("beta", publicID, SeenTask(id: publicID, status: "succeed"))
        }
    }

    /// Adds creates of one id that arrived at the upstream.
    mutating func arrive(_ id: String, _ outcomes: [ArrivedCreate.Outcome], at account: String = "first") {
        arrivals += outcomes.map { ArrivedCreate(account: account, externalTaskID: id, outcome: $0) }
    }

    /// Leaves the third create open, known to its client by the gateway's id.
    mutating func leaveOpen(isUnknown: Bool = false) {
        clients.creates[3]?.attempts = [Attempt(at: 10, .failed(502, taskID: "g3"))]
        var row = StoreTask("g3", public: "g3", upstream: nil, tenant: "alpha", state: "submitted")
        row.isUnknown = isUnknown
        store.replace("g3", row)
        lists["alpha"]?.removeAll { $0.id == "k3" }
        lists["alpha"]?.append(SeenTask(id: "g3", status: "submitted"))
        answers[Question(tenant: "alpha", id: "k3")] = nil
        answer("alpha", "g3", SeenTask(id: "g3", status: "submitted"))
    }

    /// Adds a create that made nothing, and whose last attempt was answered as if it might have made something.
    mutating func addDoubted(_ outcomes: [Attempt.Outcome] = []) {
        addRefused(.failed(502, taskID: "g4"))
        clients.creates[4]?.attempts.insert(contentsOf: outcomes.map { Attempt(at: 5, $0) }, at: 0)
        store.append(StoreTask("g4", public: "g4", upstream: nil, tenant: "beta", state: "submitted"))
        lists["beta"]?.append(SeenTask(id: "g4", status: "submitted"))
        answer("beta", "g4", SeenTask(id: "g4", status: "submitted"))
    }

    /// Adds a create that made nothing.
    mutating func addRefused(_ outcome: Attempt.Outcome) {
        clients.creates[4] = CreateEntry(number: 4, tenant: "beta", attempts: [Attempt(at: 10, outcome)])
    }
}

extension UpstreamTask {
    static func made(
        _ id: String, by create: Int, as gatewayID: String, at account: String = "first", status: String = "succeed"
    ) -> UpstreamTask {
        UpstreamTask(
            account: account, id: id, externalTaskID: gatewayID, status: status,
            picture: CreatePlan.picture(of: create))
    }
}

extension StoreTask {
    init(
        _ id: String, public publicID: String? = nil, upstream: String?, tenant: String, account: String = "first",
        state: String = "succeed"
    ) {
        self.init(id: id, publicID: publicID, upstreamID: upstream, tenant: tenant, account: account, state: state)
    }
}

extension [StoreTask] {
    mutating func replace(_ id: String, _ task: StoreTask) {
        removeAll { $0.id == id }
        append(task)
    }
}

extension Attempt {
    init(at: Moment, _ outcome: Outcome) { self.init(began: at, ended: at + 1, outcome: outcome) }
}

extension Attempt.Outcome {
    static func accepted(_ id: String) -> Attempt.Outcome { .accepted(SeenTask(id: id, status: "submitted")) }

    static let deniedMaking = Attempt.Outcome.refused(
        status: 503, code: 5001, message: "Nothing was made; send it again.", taskID: nil, forbidsRetry: true)

    static func failed(
        _ status: Int, code: Int? = 5000, taskID: String? = nil, forbidsRetry: Bool = true
    ) -> Attempt.Outcome {
        .refused(status: status, code: code, message: "no", taskID: taskID, forbidsRetry: forbidsRetry)
    }
}

extension Callback {
    init(
        _ id: String, _ status: String, at: Moment, create: Int = 1, task: String = "k1",
        externalTaskID: String? = nil, isSigned: Bool = true, wasTaken: Bool = true
    ) {
        let own = create == 1 ? "order-1" : nil
        self.init(
            create: create, at: at, id: id, isSigned: isSigned,
            task: SeenTask(id: task, status: status, externalTaskID: externalTaskID ?? own), wasTaken: wasTaken)
    }
}
