/// Made-up books of runs in which the power was cut.
extension ReconciliationTests {
    static let powerCuts = [
        Case(if: "a task that was told before a power cut is to be asked for later, until it is found") { books in
            books.clients.powerCuts = [50...60]
            books.see("k1", at: 70, .later)
            books.see("order-1", at: 75, .later)
            books.see("k1", at: 80, .tasks([SeenTask(id: "k1", status: "succeed")]))
        },
        Case(.storeDamaged, if: "SQLite finds the file damaged") { $0.damages = ["row 7 missing from index open"] },
        Case(.forgotten, if: "a task is unknown after a power cut") { books in
            books.clients.powerCuts = [50...60]
            books.see("k1", at: 70, .unknown)
        },
        Case(.queryFailed, if: "a task is to be asked for later, and the power was not cut") { books in
            books.clients.kills = [50]
            books.see("k1", at: 70, .later)
        },
        Case(.queryFailed, if: "a task is to be asked for later that was told after the power cut") { books in
            books.clients.powerCuts = [5...8]
            books.see("k1", at: 70, .later)
        },
        Case(.queryFailed, if: "a task is to be asked for later although it was found after the power cut") { books in
            books.clients.powerCuts = [50...60]
            books.see("k1", at: 70, .tasks([SeenTask(id: "k1", status: "succeed")]))
            books.see("order-1", at: 80, .later)
        },
        Case(if: "the power was cut again after a task was found") { books in
            books.clients.powerCuts = [50...60, 73...78]
            books.see("k1", at: 70, .tasks([SeenTask(id: "k1", status: "succeed")]))
            books.see("k1", at: 80, .later)
        },
        Case(.queryFailed, if: "a list is to be asked for later") { books in
            books.clients.powerCuts = [50...60]
            books.see(.list, at: 70, .later)
        },
        Case(.queryFailed, if: "what no client was told of is to be asked for later") { books in
            books.clients.powerCuts = [50...60]
            books.see("k3", at: 70, .later)
        },
        Case(.forgotten, if: "a task is to be asked for later in the end") { books in
            books.clients.powerCuts = [50...60]
            books.postpone("alpha", "k1")
        },
        Case(.forgotten, if: "a task that no client was told of is to be asked for later in the end") { books in
            books.postpone("alpha", "k3")
        },
        Case(if: "the account that could be asked for a task after a power cut has been replaced") { books in
            books.loseFirst()
            books.clients.powerCuts = [50...60]
        },
        Case(.forgotten, .notListed, if: "such a task was told after the power cut") { books in
            books.loseFirst()
            books.clients.powerCuts = [5...8]
        },
        Case(.forgotten, if: "such a task is unknown") { books in
            books.loseFirst()
            books.clients.powerCuts = [50...60]
            books.answer("alpha", "k1", nil)
            books.postponed = []
        },
        Case(if: "the power was cut a while after the first of two equal creates was answered") { books in
            books.addRepeated([.accepted("k4"), .accepted("k4")], wanted: 2, make: 1)
            books.clients.kills = [330_000]
            books.clients.powerCuts = [330_000...340_000]
        },
        Case(if: "the callbacks came again after a power cut, under other ids") { books in
            books.clients.powerCuts = [50...60]
            books.clients.callbacks += [Callback("m8", "submitted", at: 70), Callback("m9", "succeed", at: 80)]
        },
        Case(.callbackRepeated, if: "a callback came twice after a power cut, under two ids") { books in
            books.clients.powerCuts = [50...60]
            books.clients.callbacks += [Callback("m8", "succeed", at: 70), Callback("m9", "succeed", at: 80)]
        },
        Case(.callbackDisorder, if: "callbacks came again after a power cut, out of order") { books in
            books.clients.powerCuts = [50...60]
            books.clients.callbacks += [Callback("m3", "succeed", at: 70), Callback("m1", "submitted", at: 80)]
        },
        Case(.callbackDisorder, if: "an earlier state came for the first time after a power cut") { books in
            books.clients.powerCuts = [50...60]
            books.clients.callbacks.remove(at: 1)
            books.clients.callbacks += [Callback("m1", "submitted", at: 70), Callback("m9", "processing", at: 80)]
        },
    ]
}

extension Books {
    /// Leaves the first task open, without the id that its client was told, at an account that another has replaced.
    fileprivate mutating func loseFirst() {
        swapFirst()
        var row = StoreTask("g1", upstream: nil, tenant: "alpha", state: "submitted")
        row.isUnknown = true
        store.replace("g1", row)
        clients.creates[1]?.wantsCallback = false
        clients.callbacks = []
        lists["alpha"]?.removeAll { $0.id == "k1" }
        postpone("alpha", "k1")
        postpone("alpha", "order-1")
    }

    /// Tells a client to ask for a task later, to the end.
    fileprivate mutating func postpone(_ tenant: String, _ id: String) {
        let question = Question(tenant: tenant, id: id)
        answers.removeValue(forKey: question)
        postponed.insert(question)
    }
}
