import Base
import KlingAPI
import KlingSimulator
import Testing

struct SolutionsAccountTests {
    private static let token =
        "Bearer " + TokenSigner(accessKey: "ak", secretKey: Secret("sk")).token(now: Simulation.start / 1000)

    /// The answers of every route of the two APIs.
    private static func answers(_ simulation: inout Simulation) -> (old: [Answer], new: [Answer]) {
        (
            [simulation.create(), simulation.query("x"), simulation.list()],
            [simulation.solve(), simulation.find("task_ids=1"), simulation.page()]
        )
    }

    @Test(arguments: SimulatedAPI.allCases)
    func `a route that an account lacks is absent and makes nothing`(api: SimulatedAPI) {
        var simulation = Simulation.speaking(api)
        let (old, new) = Self.answers(&simulation)
        for (answers, dialect) in [(old, SimulatedDialect.kolors), (new, .solutions)] {
            let isAbsent = answers.map { $0.status == 404 && $0.code == 1202 }
            #expect(isAbsent == [!api.has(dialect), !api.has(dialect), !api.has(dialect)])
            #expect(answers.allSatisfy { api.has(dialect) || $0.message == "The requested method is invalid" })
        }
        #expect(
            simulation.platform.tasks.map(\.dialect.rawValue)
                == (api == .both ? ["kolors", "solutions"] : [api.rawValue]))
        let absent = api == .both ? 0 : 3
        #expect(simulation.send("GET", "/_simulator/requests").text.contains(#""absent_routes":\#(absent)"#))
    }

    @Test func `accounts differ, and only a key that opens one finds its API`() {
        var simulation = Simulation { $0.accounts[1].api = .solutions }
        #expect(simulation.solve().code == 1202)
        simulation.authorization = nil
        #expect(simulation.solve().code == 1001)
        simulation.authorization = "Bearer other-key"
        #expect(simulation.solve().code == 0)
        #expect(simulation.create().code == 1202)
    }

    @Test func `a route that no account has is absent for everyone`() {
        var simulation = Simulation.speaking(.kolors)
        simulation.authorization = nil
        #expect(simulation.solve().code == 1202)
        #expect(simulation.create().code == 1001)
    }

    @Test func `the newer API accepts API keys only`() {
        var simulation = Simulation.speaking(.both)
        simulation.authorization = Self.token
        let (old, new) = Self.answers(&simulation)
        #expect(old.map(\.code) == [0, 1201, 0])
        #expect(new.allSatisfy { $0.status == 401 && $0.code == 1002 })
        #expect(simulation.platform.tasks.count == 1)
        simulation.platform.set(.kolors)
        #expect(simulation.solve().code == 1202)
        var open = Simulation.speaking { $0.requireTokens = false }
        for field in [nil, "Bearer nonsense", Self.token] {
            open.authorization = field
            #expect(open.find("task_ids=1").code == 0)
        }
    }

    @Test func `an account's API can change at run time, and a reset restores it`() {
        var simulation = Simulation()
        let isThere = ["first", "nobody"].map { simulation.platform.set(.solutions, account: $0) }
        #expect(isThere == [true, false])
        #expect([simulation.create().code, simulation.solve().code] == [1202, 0])
        #expect(
            simulation.control("api", #"{"api":"both","account":"second"}"#).text
                == #"{"accounts":[{"account":"first","api":"solutions"},{"account":"second","api":"both"}]}"#)
        #expect(simulation.control("api", #"{"api":"both"}"#).status == 200)
        #expect([simulation.create().code, simulation.solve().code] == [0, 1303])
        for body in ["", "{}", #"{"api":"v3"}"#] { #expect(simulation.control("api", body).status == 400) }
        #expect(simulation.control("api", #"{"api":"both","account":"nobody"}"#).status == 404)
        simulation.platform.reset()
        #expect(simulation.send("GET", "/_simulator/api").text.contains(#"{"account":"first","api":"kolors"}"#))
        #expect([simulation.create().code, simulation.solve().code] == [0, 1202])
    }

    @Test func `each API knows its own tasks, and both share the slots`() {
        var simulation = Simulation.speaking(.both)
        let old = simulation.create(["external_task_id": "\"old\""]).taskID
        let new = simulation.solve(Simulation.named("new")).madeID
        #expect([simulation.create().code, simulation.solve().code] == [1303, 1303])
        simulation.now += 1
        #expect(simulation.list().kling?.tasks?.compactMap(\.taskID) == [old])
        #expect(simulation.page().solutionIDs == [new])
        #expect(simulation.find("task_ids=\(old),\(new)").solutionIDs == [new])
        #expect(simulation.find("external_task_ids=old,new").solutionIDs == [new])
        for name in [new, "new"] { #expect(simulation.query(name).kling?.isUnknownTask == true) }
        for name in [old, "old"] { #expect(simulation.query(name).taskID == old) }
    }

    @Test func `if ids are not unique, each API finds its own task of the same name`() {
        var simulation = Simulation.speaking(.both) { $0.accounts[0].isUnique = false }
        let old = simulation.create(["external_task_id": "\"x\""]).taskID
        let new = simulation.solve(Simulation.named("x")).madeID
        #expect(simulation.query("x").taskID == old)
        #expect(simulation.find("external_task_ids=x").solutionIDs == [new])
    }

    @Test func `tasks of other solutions appear in the answers but not among the tasks`() {
        var simulation = Simulation.speaking(.both)
        simulation.solve(Simulation.named("x"))
        let video = #"{"account":"first","id":"dance/42","external_task_id":"clip","type":"video","seconds":2.5}"#
        #expect(simulation.control("foreign-tasks", video).text == #"{"id":"dance/42"}"#)
        simulation.now += 2500
        #expect(simulation.platform.add(ForeignTask(), account: "first", now: simulation.now)?.count == 18)
        simulation.now += 1
        let listed = simulation.page(#"{"limit":2}"#)
        #expect(listed.solutionIDs.last == "dance/42")
        #expect(listed.solutions.last?.objects("outputs")?.first?.string("type") == "video")
        #expect(listed.solutions.last?.string("status") == "succeed")
        let cursor = listed.data?.string("next_cursor") ?? ""
        #expect(simulation.page(#"{"cursor":"\#(cursor)"}"#).solutions.first?.string("external_id") == "x")
        #expect(simulation.find("external_task_ids=clip").solutionIDs == ["dance/42"])
        #expect(simulation.list().kling?.tasks?.isEmpty == true)
        #expect(simulation.platform.tasks.map(\.externalTaskID) == ["x"])
        #expect(
            simulation.send("GET", "/_simulator/requests").text.contains(
                #""accepted":1,"queries":1,"lists":3,"running":1"#))
    }

    @Test(arguments: [
        ("[]", 400), ("{}", 400), (#"{"account":"nobody"}"#, 404), (#"{"account":"first","seconds":-1}"#, 400),
        (#"{"account":"first","id":"1"}"#, 400), (#"{"account":"first","external_task_id":"x"}"#, 400),
    ])
    func `an invalid task of another solution is refused`(body: String, status: Int) {
        var simulation = Simulation.speaking()
        simulation.solve(Simulation.named("x"))
        _ = simulation.platform.add(ForeignTask(id: "1"), account: "first", now: simulation.now)
        #expect(simulation.control("foreign-tasks", body).status == status)
    }

    @Test(arguments: [
        ("GET", "/solutions/virtual_try_on"), ("GET", "/solutions/1"), ("DELETE", "/solutions"),
        ("POST", "/solutions/virtual_try_on/1"), ("POST", "/solutions/dance"),
    ])
    func `an unknown route of the newer API is refused before the key is checked`(method: String, path: String) {
        var simulation = Simulation.speaking()
        simulation.authorization = nil
        let answer = simulation.send(method, path)
        #expect(answer.status == 404 && answer.code == 1202)
    }

    @Test func `an account's APIs are parsed from one word`() {
        #expect(SimulatedAccount("a=key")?.api == .kolors)
        #expect(SimulatedAccount("a=key,slots=2,api=both")?.api == .both)
        #expect(SimulatedAccount("a=key,api=none") == nil)
    }
}
