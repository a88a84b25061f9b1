import Testing

/// Made-up books: each promise is broken in one way, and the breach is found.
struct ReconciliationTests {
    @Test func `consistent books have no violations`() {
        #expect(Reconciliation(.consistent).violations == [])
        #expect(Reconciliation(.consistent).unsettled == [])
    }

    /// One change to consistent books, and the violations that it must cause.
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

    @Test(
        arguments: payments + repeats + resellers + swaps + records + outcomes + words + views + sightings + callbacks
            + powerCuts + budgets)
    func `each case causes exactly its violations`(row: Case) {
        var books = Books.consistent
        row.change(&books)
        if books.budgets == Books.consistent.budgets { books.balance() }
        #expect(Set(Reconciliation(books).violations.map(\.kind)) == row.kinds)
    }

    @Test func `every kind of violation has a case`() {
        let rows =
            Self.payments + Self.repeats + Self.resellers + Self.swaps + Self.records + Self.outcomes + Self.words
            + Self.views + Self.sightings + Self.callbacks + Self.powerCuts + Self.budgets
        // Only a real run can take too long, or have no failover.
        #expect(Set(rows.flatMap(\.kinds)) == Set(Violation.Kind.allCases).subtracting([.overran, .noFailover]))
    }

    // MARK: Cases

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
        Case(.unresolved, if: "Kling was not asked for an open intent") { books in
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
        Case(.refusedWrongly, if: "a valid create was refused") { books in
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
        Case(.forgotten, if: "a task that no client was told of is not found") { $0.answer("alpha", "k3", nil) },
        Case(.notListed, if: "its owner's list lacks it") { books in
            books.lists["alpha"]?.removeAll { $0.id == "k1" }
        },
        Case(.notListed, if: "its owner's list lacks a task that no client was told of") { books in
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
        Case(.callbackWrong, if: "no create asked for it") { books in
            books.clients.callbacks.append(Callback("m5", "submitted", at: 20, create: 3, task: "k3"))
        },
        Case(.callbackWrong, .callbackMissing, if: "it says that a task failed which did not") { books in
            books.clients.callbacks[2] = Callback("m3", "failed", at: 40)
        },
    ]
}
