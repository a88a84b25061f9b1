import Base
import KlingAPI
import KlingSimulator
import Testing

struct SolutionsFaultTests {
    private static func rules(_ texts: String...) -> [FaultRule] { texts.compactMap { FaultRule($0) } }

    @Test func `each fault point has its route`() {
        var simulation = Simulation.speaking { $0.faults = Self.rules("create:5000", "query:5001", "list:5002") }
        #expect(simulation.solve().code == 5000)
        #expect(simulation.find("task_ids=1").code == 5001)
        #expect(simulation.page().code == 5002)
        let requests = simulation.send("GET", "/_simulator/requests").text
        #expect(requests.contains(#""creates":1,"accepted":0,"queries":1,"lists":1"#))
        #expect(requests.contains(#""faults":{"create":1,"query":1,"list":1,"callback":0}"#))
    }

    @Test func `a lost answer still makes its task`() {
        var simulation = Simulation.speaking { $0.faults = Self.rules("create:lost-answer:1:1") }
        #expect(simulation.solve(Simulation.named("x")).raw.delivery == .wire(isReset: true))
        #expect(simulation.find("external_task_ids=x").solutionIDs.count == 1)
        #expect(simulation.solve(Simulation.named("x")).code == 1201)
        #expect(
            simulation.send("GET", "/_simulator/creates").text.contains(
                #"{"account":"first","external_task_id":"x","outcome":"unclear"}"#))
    }

    @Test(arguments: ["made-long-id", "made-control-id", "no-task-id"])
    func `an answer can name an unusable id, in the shape of its route`(fault: String) {
        var simulation = Simulation.speaking {
            $0.faults = Self.rules("create:\(fault)", "query:\(fault)", "list:\(fault)")
        }
        let (made, found, listed) = (simulation.solve(), simulation.find("task_ids=1"), simulation.page())
        #expect(made.data?.string("status") == "submitted" && found.solutions.count == 1 && listed.solutions.count == 1)
        let ids = [
            made.data?.string("task_id"), found.solutions.first?.string("id"), listed.solutions.first?.string("id"),
        ]
        #expect(ids.allSatisfy { fault == "no-task-id" ? $0 == nil : $0?.count == 300 || $0?.contains("\r") == true })
        #expect(simulation.platform.tasks.count == (fault == "no-task-id" ? 0 : 1))
    }

    @Test func `a task can be found late by its external id and in the list, and at once by its own`() {
        var simulation = Simulation.speaking { $0.faults = Self.rules("query:lag=1.5", "list:lag=4") }
        let id = simulation.solve(Simulation.named("x")).madeID
        simulation.now += 1499
        #expect(simulation.find("external_task_ids=x").solutionIDs.isEmpty)
        #expect(simulation.find("task_ids=\(id)").solutionIDs == [id])
        simulation.now += 1
        #expect(simulation.find("external_task_ids=x").solutionIDs == [id])
        #expect(simulation.page().solutionIDs.isEmpty)
        simulation.now += 2500
        #expect(simulation.page().solutionIDs == [id])
    }

    @Test(arguments: [("stranger", "y"), ("stranger-unnamed", ""), ("stranger-renumbered", "x")])
    func `a query can be answered with a stranger's task of the same API`(fault: String, externalID: String) {
        var simulation = Simulation.speaking(.both) {
            $0.faults = Self.rules("query:\(fault)")
            $0.accounts[0].concurrency = nil
        }
        let asked = simulation.solve(Simulation.named("x")).madeID
        let other = simulation.solve(Simulation.named("y")).madeID
        simulation.create()
        let found = simulation.find("task_ids=\(asked)").solutions
        #expect(found.map { $0.string("id") } == [other])
        #expect(found.map { $0.string("external_id") } == [externalID])
    }

    @Test func `a create can ask for its own fault in the person's URL`() {
        var simulation = Simulation.speaking()
        let instruction = Base64.encode(#"{"fault":"1302","times":2}"#.utf8, .urlSafe)
        let codes = (0..<3).map { _ in
            simulation.solve(person: Simulation.person + "?simulate=" + instruction, Simulation.named("x")).code
        }
        #expect(codes == [1302, 1302, 0])
    }

    @Test func `an account without look-up finds tasks by its own ids only`() {
        var simulation = Simulation.speaking { $0.accounts[0].hasLookup = false }
        let id = simulation.solve(Simulation.named("x")).madeID
        #expect(simulation.find("external_task_ids=x").solutionIDs.isEmpty)
        #expect(simulation.find("task_ids=\(id)").solutionIDs == [id])
    }
}
