import Testing

/// Made-up books: each promise broken in one way, and found.
struct ReconciliationTests {
    @Test func `sound books hold nothing against anybody`() {
        #expect(Reconciliation(.sound).violations == [])
        #expect(Reconciliation(.sound).unsettled == [])
    }

    /// One change to sound books, and what it must be taken for.
    struct Case: Sendable, CustomTestStringConvertible {
        let kinds: Set<Violation.Kind>
        let testDescription: String
        let change: @Sendable (inout Books) -> Void

        init(_ kinds: Violation.Kind..., if what: String, _ change: @escaping @Sendable (inout Books) -> Void) {
            self.kinds = Set(kinds)
            testDescription = what
            self.change = change
        }
    }

    @Test(arguments: payments + records + outcomes + views + sightings + callbacks)
    func `a broken promise is found`(row: Case) {
        var books = Books.sound
        row.change(&books)
        #expect(Set(Reconciliation(books).violations.map(\.kind)) == row.kinds)
    }

    @Test func `every kind has its row`() {
        let rows = Self.payments + Self.records + Self.outcomes + Self.views + Self.sightings + Self.callbacks
        // Only a run can be too long.
        #expect(Set(rows.flatMap(\.kinds)) == Set(Violation.Kind.allCases).subtracting([.overran]))
    }

    // MARK: Rows

    private static let payments = [
        Case(.madeTwice, if: "a retry made another task") { books in
            books.upstream.append(.made("k9", by: 1, as: "g9"))
            books.store.append(StoreTask("g9", upstream: "k9", tenant: "alpha"))
        },
        Case(.madeTwice, .idReused, .storeDisagrees, if: "a task went to two accounts") { books in
            books.upstream.append(.made("k9", by: 1, as: "g1", at: "second"))
            books.store.append(StoreTask("g9", upstream: "k9", tenant: "alpha"))
        },
        Case(.madeFromHalf, if: "half a body made a task") { books in
            books.clients.creates[3]?.attempts = [Attempt(at: 10, .left(isWhole: false))]
        },
        Case(.retryInvited, if: "a lost task was answered as if nothing had been made") { books in
            books.clients.creates[3]?.attempts = [Attempt(at: 10, .failed(502, forbidsRetry: false))]
        },
        Case(if: "a client that left before it was answered has nothing to complain of") { books in
            books.clients.creates[3]?.attempts = [Attempt(at: 10, .left(isWhole: true))]
        },
    ]

    private static let records = [
        Case(.lost, if: "the record is gone") { $0.store.removeAll { $0.id == "g3" } },
        Case(.unresolved, if: "nobody has asked Kling for an open intent") { books in
            books.store.replace("g3", StoreTask("g3", upstream: nil, tenant: "alpha", state: "intent"))
        },
        Case(.storeDisagrees, if: "the record was given up") { books in
            books.store.replace("g3", StoreTask("g3", upstream: nil, tenant: "alpha", state: "failed"))
        },
        Case(.storeDisagrees, if: "the record has another state") { books in
            books.store.replace("g3", StoreTask("g3", upstream: "k3", tenant: "alpha", state: "processing"))
        },
        Case(.storeDisagrees, if: "the record names another account") { books in
            books.store.replace("g3", StoreTask("g3", upstream: "k3", tenant: "alpha", account: "second"))
        },
        Case(.storeDisagrees, if: "two records have one task") { books in
            books.store.append(StoreTask("g9", upstream: "k3", tenant: "alpha"))
        },
        Case(.storeDisagrees, if: "Kling has never made what the record names") { books in
            books.store.append(StoreTask("g9", upstream: "k9", tenant: "alpha"))
        },
        Case(.shownToAnother, if: "the record is another tenant's") { books in
            books.store.replace("g3", StoreTask("g3", upstream: "k3", tenant: "beta"))
        },
        Case(if: "an intent that never reached Kling may stay open") { books in
            books.store.append(StoreTask("g9", upstream: nil, tenant: "alpha", state: "intent"))
        },
    ]

    private static let outcomes = [
        Case(.acceptedNotMade, if: "a queued task was never sent") { $0.addQueued(state: "queued", message: nil) },
        Case(.acceptedNotMade, if: "a queued task was given up") { books in
            books.addQueued(state: "failed", message: "never reached Kling; nothing was charged")
        },
        Case(if: "Kling refused a queued task's content") { books in
            books.addQueued(state: "failed", message: "Trigger the content security policy of the platform")
        },
        Case(.refusedWrongly, if: "a sound create was refused") { books in
            books.addRefused(.failed(400, code: 1201))
        },
        Case(.refusedWrongly, if: "the gateway failed by itself") { $0.addRefused(.failed(500)) },
        Case(.refusedWrongly, if: "409 came without a key") { $0.addRefused(.failed(409, code: 1200)) },
        Case(if: "Kling refused the content") { $0.addRefused(.failed(400, code: 1301)) },
        Case(if: "every account was full") { $0.addRefused(.failed(429, code: 1303)) },
        Case(.idChanged, if: "one key was answered with two ids") { books in
            let again = SeenTask(id: "g1", status: "submitted")
            books.clients.creates[1]?.attempts.append(Attempt(at: 90, .accepted(again)))
            books.lists["alpha"]?.append(SeenTask(id: "g1", status: "succeed"))
        },
    ]

    private static let views = [
        Case(.forgotten, if: "a query does not find it in the end") { $0.answer("alpha", "k1", nil) },
        Case(.forgotten, if: "a query by the client's own id does not find it in the end") { books in
            books.answer("alpha", "order-1", nil)
        },
        Case(.forgotten, if: "a task that was told to nobody is not found") { $0.answer("alpha", "k3", nil) },
        Case(.notListed, if: "its owner's list lacks it") { books in
            books.lists["alpha"]?.removeAll { $0.id == "k1" }
        },
        Case(.notListed, if: "its owner's list lacks a task that was told to nobody") { books in
            books.lists["alpha"]?.removeAll { $0.id == "k3" }
        },
        Case(.wrongState, if: "a query shows another state than Kling's") { books in
            books.answer("alpha", "k1", SeenTask(id: "k1", status: "failed"))
        },
        Case(.wrongState, if: "a list shows another state than Kling's") { books in
            books.lists["beta"] = [SeenTask(id: "g2", status: "processing")]
        },
        Case(.idChanged, if: "a query answers under another id") { books in
            books.answer("alpha", "order-1", SeenTask(id: "g1", status: "succeed"))
        },
        Case(.idChanged, if: "a list shows a task twice") { books in
            books.lists["beta"]?.append(SeenTask(id: "g2", status: "failed"))
        },
        Case(.shownToAnother, if: "it stands in another tenant's list") { books in
            books.lists["beta"]?.append(SeenTask(id: "k1", status: "succeed"))
        },
    ]

    private static let sightings = [
        Case(.forgotten, if: "a query did not find it for a while") { $0.see("k1", at: 50, .unknown) },
        Case(if: "a query came before the task was told") { $0.see("order-1", at: 5, .unknown) },
        Case(.queryFailed, if: "a query was answered with an error") { $0.see("k1", at: 50, .error(status: 502)) },
        Case(.idChanged, if: "a query answered under another id") { books in
            books.see("order-1", at: 50, .tasks([SeenTask(id: "g1", status: "submitted")]))
        },
        Case(.wentBack, if: "a state went back") { books in
            books.see("k1", at: 24, .tasks([SeenTask(id: "k1", status: "processing")]))
            books.see("k1", at: 27, .tasks([SeenTask(id: "k1", status: "submitted")]))
        },
        Case(.wentBack, if: "a final state changed") { books in
            books.see("k1", at: 50, .tasks([SeenTask(id: "k1", status: "failed")]))
            books.see("k1", at: 60, .tasks([SeenTask(id: "k1", status: "succeed")]))
        },
        Case(.wentBack, if: "a list showed an earlier state than a query") { books in
            books.see("k1", at: 50, .tasks([SeenTask(id: "k1", status: "succeed")]))
            books.see(.list, at: 60, .tasks([SeenTask(id: "k1", status: "processing")]))
        },
        Case(if: "two looks overlapped in time") { books in
            books.see("k1", at: 32, for: 20, .tasks([SeenTask(id: "k1", status: "succeed")]))
            books.see("k1", at: 34, for: 1, .tasks([SeenTask(id: "k1", status: "processing")]))
        },
    ]

    private static let callbacks = [
        Case(.callbackMissing, if: "none came") { $0.clients.callbacks = [] },
        Case(.callbackMissing, if: "the last one did not come") { $0.clients.callbacks.removeLast() },
        Case(.callbackMissing, if: "the last one was not taken, and did not come again") { books in
            books.clients.callbacks[2] = Callback("m3", "succeed", at: 40, wasTaken: false)
        },
        Case(if: "the last one came again after it was not taken") { books in
            books.clients.callbacks[2] = Callback("m3", "succeed", at: 40, wasTaken: false)
            books.clients.callbacks.append(Callback("m3", "succeed", at: 45))
        },
        Case(if: "a state in between was not told") { $0.clients.callbacks.remove(at: 1) },
        Case(.callbackDisorder, if: "processing came before submitted") { books in
            books.clients.callbacks[1] = Callback("m2", "processing", at: 15)
        },
        Case(.callbackDisorder, if: "something came after the end") { books in
            books.clients.callbacks.append(Callback("m2", "processing", at: 50))
        },
        Case(.callbackRepeated, if: "one state came as two events") { books in
            books.clients.callbacks.append(Callback("m4", "succeed", at: 50))
        },
        Case(.callbackEarly, if: "the answer came later than a callback") { books in
            let answer = SeenTask(id: "k1", status: "succeed", externalTaskID: "order-1")
            books.clients.creates[1]?.attempts = [Attempt(at: 500_000, .accepted(answer))]
        },
        Case(.callbackForged, if: "the signature is wrong") { books in
            books.clients.callbacks[0] = Callback("m1", "submitted", at: 20, isSigned: false)
        },
        Case(.callbackWrong, if: "it is about another task") { books in
            books.clients.callbacks[0] = Callback("m1", "submitted", at: 20, task: "k3")
        },
        Case(.callbackWrong, if: "it names another external_task_id") { books in
            books.clients.callbacks[0] = Callback("m1", "submitted", at: 20, externalTaskID: "g1")
        },
        Case(.callbackWrong, if: "nobody asked for it") { books in
            books.clients.callbacks.append(Callback("m5", "submitted", at: 20, create: 3, task: "k3"))
        },
        Case(.callbackWrong, .callbackMissing, if: "it says that a task failed which did not") { books in
            books.clients.callbacks[2] = Callback("m3", "failed", at: 40)
        },
    ]
}

// MARK: -

extension Books {
    /// Three creates: one accepted at once, called back and seen to its end; one whose answer was lost, told under the
    /// gateway's id; one whose client never heard of it.
    fileprivate static var sound: Books {
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

    fileprivate mutating func answer(_ tenant: String, _ id: String, _ task: SeenTask?) {
        answers[Question(tenant: tenant, id: id)] = .some(task)
    }

    fileprivate mutating func see(_ id: String, at: Moment, for duration: Int = 2, _ finding: Sighting.Finding) {
        see(.id(id), at: at, for: duration, finding)
    }

    fileprivate mutating func see(
        _ question: Sighting.Question, at: Moment, for duration: Int = 2, _ finding: Sighting.Finding
    ) {
        clients.sightings.append(
            Sighting(tenant: "alpha", question: question, began: at, ended: at + duration, finding: finding))
    }

    /// A create that was accepted under the gateway's id, and is not at Kling.
    fileprivate mutating func addQueued(state: String, message: String?) {
        let status = state == "queued" ? "submitted" : state
        clients.creates[4] = CreateEntry(
            number: 4, tenant: "beta", attempts: [Attempt(at: 10, .accepted(SeenTask(id: "g4", status: "submitted")))])
        store.append(StoreTask("g4", public: "g4", upstream: nil, tenant: "beta", state: state))
        lists["beta"]?.append(SeenTask(id: "g4", status: status))
        answer("beta", "g4", SeenTask(id: "g4", status: status, message: message))
    }

    /// A create of which nothing was made.
    fileprivate mutating func addRefused(_ outcome: Attempt.Outcome) {
        clients.creates[4] = CreateEntry(number: 4, tenant: "beta", attempts: [Attempt(at: 10, outcome)])
    }
}

extension UpstreamTask {
    fileprivate static func made(
        _ id: String, by create: Int, as gatewayID: String, at account: String = "first", status: String = "succeed"
    ) -> UpstreamTask {
        UpstreamTask(
            account: account, id: id, externalTaskID: gatewayID, status: status,
            picture: CreatePlan.picture(of: create))
    }
}

extension StoreTask {
    fileprivate init(
        _ id: String, public publicID: String? = nil, upstream: String?, tenant: String, account: String = "first",
        state: String = "succeed"
    ) {
        self.init(id: id, publicID: publicID, upstreamID: upstream, tenant: tenant, account: account, state: state)
    }
}

extension [StoreTask] {
    fileprivate mutating func replace(_ id: String, _ task: StoreTask) {
        removeAll { $0.id == id }
        append(task)
    }
}

extension Attempt {
    fileprivate init(at: Moment, _ outcome: Outcome) { self.init(began: at, ended: at + 1, outcome: outcome) }
}

extension Attempt.Outcome {
    fileprivate static func failed(
        _ status: Int, code: Int? = 5000, taskID: String? = nil, forbidsRetry: Bool = true
    ) -> Attempt.Outcome {
        .refused(status: status, code: code, message: "no", taskID: taskID, forbidsRetry: forbidsRetry)
    }
}

extension Callback {
    fileprivate init(
        _ id: String, _ status: String, at: Moment, create: Int = 1, task: String = "k1",
        externalTaskID: String? = nil, isSigned: Bool = true, wasTaken: Bool = true
    ) {
        let own = create == 1 ? "order-1" : nil
        self.init(
            create: create, at: at, id: id, isSigned: isSigned,
            task: SeenTask(id: task, status: status, externalTaskID: externalTaskID ?? own), wasTaken: wasTaken)
    }
}
