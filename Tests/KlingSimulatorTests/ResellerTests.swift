import Base
import KlingAPI
import KlingSimulator
import Testing

/// What resellers and proxies do, but Kling does not, or not always.
struct ResellerTests {
    private static let named = ["external_task_id": "\"x\""]

    private static func rules(_ texts: String...) -> [FaultRule] { texts.compactMap { FaultRule($0) } }

    @Test func `a task can be found late by its external id, and at once by its own`() {
        var simulation = Simulation { $0.faults = Self.rules("query:lag=1.5") }
        let made = simulation.create(Self.named)
        for elapsed in [0, 300, 1499] {
            simulation.now = Simulation.start + elapsed
            #expect(simulation.query("x").kling?.isUnknownTask == true)
            #expect(simulation.query(made.taskID).taskID == made.taskID)
            #expect(simulation.create(Self.named).code == 1201, "the id is in use, although no query finds it")
        }
        simulation.now = Simulation.start + 1500
        #expect(simulation.query("x").taskID == made.taskID)
    }

    @Test func `a list can lag separately`() {
        var simulation = Simulation { $0.faults = Self.rules("list:lag=4") }
        let first = simulation.create()
        simulation.now += 3000
        let second = simulation.create(Self.named)
        #expect(simulation.query("x").taskID == second.taskID)
        var listed: [[String]?] = []
        for elapsed in [3999, 4000, 7000] {
            simulation.now = Simulation.start + elapsed
            listed.append(simulation.list().kling?.tasks?.compactMap(\.taskID))
        }
        #expect(listed == [[], [first.taskID], [second.taskID, first.taskID]])
    }

    @Test func `an account without unique ids makes another task for the same external id`() {
        var simulation = Simulation { $0.accounts[1].isUnique = false }
        simulation.authorization = "Bearer other-key"
        let (first, second) = (simulation.create(Self.named), simulation.create(Self.named))
        #expect(first.code == 0 && second.code == 0 && first.taskID != second.taskID)
        #expect(simulation.query("x").taskID == second.taskID)
        #expect(simulation.query(first.taskID).taskID == first.taskID)
        #expect(simulation.platform.tasks.map(\.externalTaskID) == ["x", "x"])
        simulation.authorization = "Bearer plain-key"
        #expect([simulation.create(Self.named).code, simulation.create(Self.named).code] == [0, 1201])
    }

    @Test func `an account without look-up finds tasks by its own ids only`() {
        var simulation = Simulation { $0.accounts[0].hasLookup = false }
        let made = simulation.create(Self.named)
        #expect(simulation.query("x").kling?.isUnknownTask == true)
        #expect(simulation.query(made.taskID).task?.externalTaskID == "x")
    }

    /// What is shown in place of task `x`: whether it is another task of the account, and its external id.
    private static let strangers: [(fault: String, byOwnID: Bool, isOther: Bool, externalID: String?)] = [
        ("stranger", false, true, "y"), ("stranger", true, true, "y"), ("stranger-unnamed", false, true, nil),
        ("stranger-unnamed", true, true, nil), ("stranger-renumbered", true, true, "x"),
        ("stranger-renumbered", false, false, "x"),
    ]

    @Test(arguments: strangers.indices)
    func `a query can be answered with a stranger's task`(index: Int) {
        let row = Self.strangers[index]
        var simulation = Simulation { $0.faults = Self.rules("query:\(row.fault)") }
        let asked = simulation.create(Self.named)
        let other = simulation.create(["external_task_id": "\"y\""])
        let answer = simulation.query(row.byOwnID ? asked.taskID : "x")
        #expect(answer.code == 0)
        #expect(answer.taskID == (row.isOther ? other : asked).taskID)
        #expect(answer.task?.externalTaskID == row.externalID)
        #expect(simulation.platform.tasks.map(\.externalTaskID) == ["x", "y"], "the tasks are unchanged")
    }

    @Test func `a stranger's task can be shown even if the account has none`() {
        var simulation = Simulation { $0.faults = Self.rules("query:stranger") }
        let answer = simulation.query("nobody")
        #expect(answer.code == 0 && answer.task?.status == .succeed)
        #expect(answer.task?.externalTaskID == "somebody-elses-order")
        #expect(simulation.platform.tasks.isEmpty)
    }

    /// A status without Kling's envelope, and how its body starts.
    private static let bare: [(fault: String, status: Int, start: String)] =
        [401, 402, 403, 404, 405, 411, 413, 414, 415, 431, 501].flatMap { status in
            [
                ("http-\(status)", status, "<html>"), ("http-\(status)-html", status, "<html>"),
                ("http-\(status)-error", status, #"{"error":{"message":"#),
                ("http-\(status)-code", status, #"{"code":"insufficient_user_quota","message":"#),
            ]
        }

    @Test(arguments: bare.indices)
    func `a bare status has no envelope of Kling's and makes nothing`(index: Int) {
        let row = Self.bare[index]
        var simulation = Simulation { $0.faults = Self.rules("create:\(row.fault)", "query:\(row.fault)") }
        for answer in [simulation.create(), simulation.query("x")] {
            #expect(answer.status == row.status)
            #expect(answer.kling == nil && answer.text.hasPrefix(row.start))
        }
        #expect(simulation.platform.tasks.isEmpty)
    }

    @Test(arguments: [("made-long-id", 300), ("made-control-id", 11)])
    func `an answer can name an unusable id while the task has another`(fault: String, count: Int) throws {
        var simulation = Simulation { $0.faults = Self.rules("create:\(fault)") }
        let made = simulation.create(Self.named)
        // A client that reads the answer finds no usable id in it.
        #expect(made.code == 0 && made.kling?.task?.taskID == nil && made.text.utf8.count > count)
        let task = try #require(simulation.platform.tasks.first)
        #expect(task.id.count == 18)
        #expect(simulation.query("x").taskID == task.id)
    }

    /// What the sender of a create can know about it, by the fault that it met.
    private static let outcomes: [(fault: String, outcome: String)] = [
        ("slow=1", "made"), ("1302", "refused"), ("1201", "refused"), ("5000", "unclear"), ("made-5000", "unclear"),
        ("http-401", "refused"), ("http-413-error", "refused"), ("http-302", "refused"), ("http-400", "unclear"),
        ("http-400-code", "refused"), ("http-502", "unclear"), ("lost-answer", "unclear"), ("reset", "unclear"),
        ("made-long-id", "unclear"),
    ]

    @Test(arguments: outcomes.indices)
    func `each create is recorded with what its sender can know`(index: Int) {
        let row = Self.outcomes[index]
        var simulation = Simulation { $0.faults = Self.rules("create:\(row.fault):1:1") }
        simulation.create(Self.named)
        simulation.create()
        #expect(
            simulation.send("GET", "/_simulator/creates").text
                == #"{"creates":[{"account":"first","external_task_id":"x","outcome":"\#(row.outcome)"}]}"#)
    }

    @Test func `a create can be refused by one account and accepted by the others`() {
        var simulation = Simulation()
        let instruction = [
            "external_task_id": "\"x\"", "simulate": #"{"fault":"http-413","times":9,"account":"first"}"#,
        ]
        #expect([simulation.create(instruction).status, simulation.create(instruction).status] == [413, 413])
        simulation.authorization = "Bearer other-key"
        #expect(simulation.create(instruction).code == 0)
    }

    @Test func `a picture's URL can be as long as requested`() {
        var simulation = Simulation()
        let made = simulation.create(["simulate": #"{"url_bytes":1000000}"#])
        simulation.now += 10_000
        for task in [simulation.query(made.taskID).task, simulation.list().kling?.tasks?.first] {
            #expect(task?.images.first?.url.utf8.count == 1_000_000)
            #expect(task?.images.first?.url.hasPrefix("\(Simulation.base)/results/\(made.taskID)/0.png?") == true)
        }
        #expect(simulation.create(["simulate": #"{"url_bytes":-1}"#]).code == 1201)
    }

    @Test func `the times of tokens can be ignored`() {
        var simulation = Simulation { $0.checksTokenTimes = false }
        for years in [-10, 0, 10] {
            let signer = TokenSigner(accessKey: "ak", secretKey: Secret("sk"))
            simulation.authorization = "Bearer " + signer.token(now: Simulation.start / 1000 + years * 31_536_000)
            #expect(simulation.list().code == 0)
        }
        simulation.authorization! += "x"
        #expect(simulation.list().code == 1002)
    }

    @Test func `each account is parsed from one word`() {
        let signed = SimulatedAccount.Key.signed(accessKey: "ak", secretKey: Secret("sk"))
        #expect(SimulatedAccount("a=ak:sk") == SimulatedAccount(name: "a", keys: [signed]))
        #expect(SimulatedAccount("a=ak:sk:3") == SimulatedAccount(name: "a", keys: [signed], concurrency: 3))
        var reseller = SimulatedAccount(name: "b", keys: [.plain(Secret("sk-1"))], concurrency: 4)
        (reseller.isUnique, reseller.hasLookup) = (false, false)
        #expect(SimulatedAccount("b=sk-1,slots=4,not-unique,no-lookup") == reseller)
        for text in ["a", "a=", "=ak:sk", "a=ak:sk:0", "a=ak:sk:3:4", "a=ak:", "a=ak:sk,", "a=k,slots=x", "a=k,unique"]
        {
            #expect(SimulatedAccount(text) == nil, "\(text)")
        }
    }

    @Test(arguments: [
        "create:lag=1", "create:stranger", "list:stranger", "query:lag=", "query:strangers", "create:http-401-",
        "create:http-401-xml", "callback:lag=1",
    ])
    func `an invalid fault is refused`(text: String) {
        #expect(FaultRule(text) == nil)
    }
}
