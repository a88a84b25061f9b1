/// Made-up books of clients that resend without a key, of resellers, of accounts whose keys change, and of what
/// messages say to clients.
extension ReconciliationTests {
    static let repeats = [
        Case(.madeTwice, if: "a cut connection made another task") { books in
            books.addRepeated([.cut(hasArrived: false), .accepted("k5")], make: 2)
        },
        Case(.madeTwice, .idChanged, if: "a second request for a lost one made another task") { books in
            books.addRepeated([.failed(502, taskID: "g4"), .accepted("k5")], make: 2)
        },
        Case(if: "a second request for a lost one was answered with its task") { books in
            books.addRepeated([.failed(502, taskID: "g4"), .accepted("g4")], make: 1)
        },
        Case(if: "a torn answer may have been read, for all that the gateway knows") { books in
            books.addRepeated([.cut(hasArrived: true), .accepted("k5")], make: 2)
        },
        Case(if: "a client's own id is in use, by the create whose answer was torn") { books in
            books.addRepeated([.cut(hasArrived: true), .failed(400, code: 1201, forbidsRetry: false)], make: 1)
            books.clients.creates[4]?.externalTaskID = "order-4"
        },
        Case(.refusedWrongly, .retryInvited, if: "a client's own id is in use, by the create that was cut") { books in
            books.addRepeated([.cut(hasArrived: false), .failed(400, code: 1201, forbidsRetry: false)], make: 1)
            books.clients.creates[4]?.externalTaskID = "order-4"
        },
        Case(if: "the next request after a torn answer was refused") { books in
            books.addRepeated([.cut(hasArrived: true), .failed(400, code: 1301, forbidsRetry: false)], make: 1)
        },
        Case(.retryInvited, if: "a request was refused that made a task beside that of a torn answer") { books in
            books.addRepeated([.cut(hasArrived: true), .failed(400, code: 1301, forbidsRetry: false)], make: 2)
        },
        Case(.retryInvited, if: "the next request after a cut connection was refused") { books in
            books.addRepeated([.cut(hasArrived: false), .failed(400, code: 1301, forbidsRetry: false)], make: 1)
        },
        Case(if: "the second of two equal creates was refused") { books in
            books.addRepeated([.accepted("k4"), .failed(400, code: 1301, forbidsRetry: false)], wanted: 2, make: 1)
        },
        Case(.retryInvited, if: "the second of two equal creates was refused and made") { books in
            books.addRepeated([.accepted("k4"), .failed(400, code: 1301, forbidsRetry: false)], wanted: 2, make: 2)
        },
        Case(.madeTwice, if: "with a key nothing excuses another task") { books in
            books.addRepeated([.cut(hasArrived: true), .accepted("k5")], make: 2)
            books.clients.creates[4]?.hasKey = true
        },
        Case(if: "two equal creates that were both answered made two tasks") { books in
            books.addRepeated([.accepted("k4"), .accepted("k5")], wanted: 2, make: 2)
        },
        Case(.madeTwice, if: "two equal creates made three tasks") { books in
            books.addRepeated([.accepted("k4"), .accepted("k5")], wanted: 2, make: 3)
        },
        Case(.merged, if: "two equal creates that were both answered made one task") { books in
            books.addRepeated([.accepted("k4"), .accepted("k4")], wanted: 2, make: 1)
        },
        Case(if: "the gateway died when the first of two equal creates was answered") { books in
            books.addRepeated([.accepted("k4"), .accepted("k4")], wanted: 2, make: 1)
            books.clients.kills = [110_000]
        },
        Case(.merged, if: "the gateway died long after the first of two equal creates was answered") { books in
            books.addRepeated([.accepted("k4"), .accepted("k4")], wanted: 2, make: 1)
            books.clients.kills = [400_000]
        },
        Case(if: "the gateway died before an outage of the store had let it keep what was read") { books in
            books.addRepeated([.accepted("k4"), .accepted("k4")], wanted: 2, make: 1)
            books.clients.outages = [50_000...390_000]
            books.clients.kills = [400_000]
        },
        Case(if: "the machine was too busy for the gateway to keep what was read before it died") { books in
            books.addRepeated([.accepted("k4"), .accepted("k4")], wanted: 2, make: 1)
            books.clients.lags = [120_000...250_000, 260_000...320_000]
            books.clients.kills = [400_000]
        },
        Case(.merged, if: "the machine was busy for a moment, and the gateway died long after it") { books in
            books.addRepeated([.accepted("k4"), .accepted("k4")], wanted: 2, make: 1)
            books.clients.lags = [120_000...160_000]
            books.clients.kills = [400_000]
        },
        Case(.merged, if: "the gateway died long after such an outage") { books in
            books.addRepeated([.accepted("k4"), .accepted("k4")], wanted: 2, make: 1)
            books.clients.outages = [50_000...390_000]
            books.clients.kills = [900_000]
        },
    ]

    static let resellers = [
        Case(.sentAgain, if: "a reseller got a create again whose answer was lost") { books in
            books.know("first", .reseller)
            books.arrive("g3", [.unclear, .made])
        },
        Case(.sentAgain, if: "another account got what a reseller may have made") { books in
            books.know("first", .reseller)
            books.arrive("g3", [.unclear])
            books.arrive("g3", [.made], at: "second")
        },
        Case(if: "a reseller got again what it had refused") { books in
            books.know("first", .reseller)
            books.arrive("g3", [.refused, .refused, .made])
        },
        Case(if: "Kling got a create again whose answer was lost") { $0.arrive("g3", [.unclear, .made]) },
        Case(if: "it cannot be looked up, and the operator was told") { books in
            books.know("first", .blind)
            books.leaveOpen(isUnknown: true)
        },
        Case(.unresolved, .wrongState, if: "it cannot be looked up, and the operator was not told") { books in
            books.know("first", .blind)
            books.leaveOpen()
        },
        Case(.unresolved, .wrongState, if: "Kling would have found what the operator was told of") { books in
            books.leaveOpen(isUnknown: true)
        },
        Case(.forgotten, if: "what stays open is not found by the id that was told") { books in
            books.know("first", .blind)
            books.leaveOpen(isUnknown: true)
            books.answer("alpha", "g3", nil)
        },
        Case(if: "a reseller never got a queued task, which cannot be found out") { books in
            books.know("first", .reseller)
            books.addQueued(state: "submitted", message: nil)
        },
    ]

    static let swaps = [
        Case(if: "the name stands for another account now") { books in
            books.swapFirst()
            books.upstream[2] = .made("k3", by: 3, as: "g3", at: "first-other")
        },
        Case(if: "what the other account has is still open, and the operator knows") { books in
            books.swapFirst()
            books.leaveOpen(isUnknown: true)
        },
        Case(.unresolved, .wrongState, if: "the other account has it, and the operator was not told") { books in
            books.swapFirst()
            books.leaveOpen()
        },
        Case(.madeTwice, .idReused, .storeDisagrees, if: "both accounts made it") { books in
            books.swapFirst()
            books.upstream.append(.made("k9", by: 3, as: "g3", at: "first-other"))
        },
        Case(.storeDisagrees, .chargedButDenied, if: "the other account denied it, and that was believed") { books in
            books.swapFirst()
            var row = StoreTask("g3", upstream: nil, tenant: "alpha", state: "failed")
            row.message = "never reached Kling; nothing was charged"
            books.store.replace("g3", row)
        },
    ]

    static let words = [
        Case(.chargedButDenied, if: "the last word about a made task was that nothing was made") { books in
            books.clients.creates[3]?.attempts = [Attempt(at: 10, .deniedMaking)]
        },
        Case(if: "nothing was made at first, and then it was") { books in
            books.clients.creates[1]?.attempts.insert(Attempt(at: 5, .deniedMaking), at: 0)
        },
        Case(.doubtedWrongly, if: "a clear refusal was told as a create that may have been made") { books in
            books.addDoubted()
            books.arrive("g4", [.refused, .refused])
        },
        Case(if: "a create that may have been made is told as one") { books in
            books.addDoubted()
            books.arrive("g4", [.refused, .unclear])
        },
        Case(if: "a refusal was lost with the gateway that heard it") { books in
            books.addDoubted([.nothing(wasSent: true, reason: "closed")])
            books.arrive("g4", [.refused])
        },
        Case(.strangersPicture, if: "a query shows another task's picture") { books in
            let picture = "http://kling/results/k2/0.png"
            books.see("k1", at: 60, .tasks([SeenTask(id: "k1", status: "succeed", picture: picture)]))
        },
        Case(if: "a query shows the task's own picture") { books in
            let picture = "http://kling/results/k1/0.png"
            books.see("k1", at: 60, .tasks([SeenTask(id: "k1", status: "succeed", picture: picture)]))
        },
    ]
}
