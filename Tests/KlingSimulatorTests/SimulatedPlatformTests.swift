import Base
import KlingAPI
import KlingSimulator
import Testing

struct SimulatedPlatformTests {
    @Test func `a task is submitted, then processed, then succeeds with a picture`() {
        var simulation = Simulation()
        let made = simulation.create(["external_task_id": "\"order-1\""])
        #expect(made.status == 200)
        #expect(made.message == "SUCCEED")
        #expect(made.taskID.count == 18)
        #expect(made.kling?.requestID?.count == 36)
        #expect(made.task?.status == .submitted)
        #expect(made.task?.externalTaskID == "order-1")
        var seen: [TaskStatus?] = []
        for elapsed in [0, 2499, 2500, 9999, 10_000, 100_000] {
            simulation.now = Simulation.start + elapsed
            seen.append(simulation.query(made.taskID).task?.status)
        }
        #expect(seen == [.submitted, .submitted, .processing, .processing, .succeed, .succeed])
        let done = simulation.query("order-1").task
        #expect(done?.taskID == made.taskID)
        #expect(done?.finalUnitDeduction == "1")
        #expect(done?.updatedAt == Simulation.start + 10_000)
        #expect(done?.images == [TaskImage(index: 0, url: "\(Simulation.base)/results/\(made.taskID)/0.png")])
    }

    @Test func `the same seed and requests make the same answers`() {
        func run(_ seed: UInt64) -> [String] {
            var simulation = Simulation {
                $0.seed = seed
                $0.duration = 1000...9000
            }
            let first = simulation.create()
            simulation.now += 5000
            return [first.text, simulation.query(first.taskID).text, simulation.send("GET", "/_simulator/tasks").text]
        }
        #expect(run(1) == run(1))
        #expect(run(1) != run(2))
    }

    @Test func `a task that is to fail costs nothing and says why`() {
        var simulation = Simulation()
        let made = simulation.create(["simulate": #"{"outcome":"failed","seconds":0.5}"#])
        simulation.now += 500
        let task = simulation.query(made.taskID).task
        #expect(task?.status == .failed)
        #expect(task?.statusMessage == "Failure to pass the risk control system")
        #expect(task?.finalUnitDeduction == "0")
        #expect(task?.images == [])
        #expect(simulation.send("GET", "/results/\(made.taskID)/0.png").status == 404)
    }

    @Test func `slots are held until their tasks end`() {
        var simulation = Simulation()
        simulation.create()
        simulation.now += 1
        simulation.create(["simulate": #"{"outcome":"failed"}"#])
        let refused = simulation.create()
        #expect(refused.status == 429)
        #expect(refused.code == 1303)
        #expect(refused.message == "parallel task over resource pack limit")
        simulation.now = Simulation.start + 9_999
        #expect(simulation.create().code == 1303)
        simulation.now += 1
        #expect(simulation.create().code == 0)
        #expect(simulation.create().code == 1303)
        simulation.authorization = "Bearer other-key"
        for _ in 0..<5 { #expect(simulation.create().code == 0) }
    }

    @Test func `an external id is unique within its account, even when no slot is free`() {
        var simulation = Simulation()
        let made = simulation.create(["external_task_id": "\"x\""])
        simulation.create()
        let again = simulation.create(["external_task_id": "\"x\""])
        #expect(again.status == 400)
        #expect(again.code == 1201)
        #expect(simulation.platform.tasks.first?.creates == 2)
        simulation.authorization = "Bearer other-key"
        let other = simulation.create(["external_task_id": "\"x\""])
        #expect(other.code == 0)
        #expect(simulation.query("x").taskID == other.taskID)
        #expect(simulation.query(made.taskID).code == 1201)
    }

    @Test func `a task and its picture are gone after thirty days`() {
        var simulation = Simulation()
        let made = simulation.create(["external_task_id": "\"x\""])
        simulation.now += 30 * 86_400_000 - 1
        #expect(simulation.query("x").task?.status == .succeed)
        #expect(simulation.send("GET", "/results/\(made.taskID)/0.png").status == 200)
        simulation.now += 1
        #expect(simulation.send("GET", "/results/\(made.taskID)/0.png").status == 404)
        #expect(simulation.query("x").message == "Task not found")
        #expect(simulation.list().kling?.tasks?.isEmpty == true)
        #expect(simulation.create(["external_task_id": "\"x\""]).code == 0)
    }

    @Test(arguments: [
        (SimulatorConfiguration.UnknownTaskShape.invalidParameter, 400, 1201), (.notFound, 404, 1203),
        (.failedTask, 200, 0),
    ])
    func `an unknown task is answered in the chosen shape`(
        shape: SimulatorConfiguration.UnknownTaskShape, status: Int, code: Int
    ) {
        var simulation = Simulation { $0.unknownTaskShape = shape }
        let answer = simulation.query("nobody")
        #expect(answer.status == status)
        #expect(answer.code == code)
        #expect(answer.kling?.isUnknownTask == true)
    }

    @Test func `a list is newest first, in pages`() {
        var simulation = Simulation { $0.accounts[0].concurrency = nil }
        let ids = (0..<35).map { _ in simulation.create().taskID }
        func page(_ query: String?) -> [String]? { simulation.list(query).kling?.tasks?.compactMap(\.taskID) }
        #expect(page(nil) == Array(ids.reversed().prefix(30)))
        #expect(page("pageNum=2") == Array(ids.reversed().dropFirst(30)))
        #expect(page("pageNum=3&pageSize=10&other=1") == Array(ids.reversed()[20..<30]))
        #expect(page("pageNum=1000&pageSize=500") == [])
        simulation.authorization = "Bearer other-key"
        #expect(page(nil) == [])
    }

    @Test(arguments: ["pageNum=0", "pageNum=1001", "pageSize=0", "pageSize=501", "pageSize=ten", "pageNum="])
    func `a page out of range is refused`(query: String) {
        var simulation = Simulation()
        let answer = simulation.list(query)
        #expect(answer.status == 400)
        #expect(answer.code == 1201)
    }

    @Test(arguments: [
        ("POST", "/v1/images/kolors-virtual-try-on/1", 404, 1202),
        ("DELETE", "/v1/images/kolors-virtual-try-on", 404, 1202),
        ("GET", "/v1/models", 404, 1203), ("GET", "/_simulator/nothing", 404, 1203),
    ])
    func `an unknown route is refused before the token is checked`(
        method: String, path: String, status: Int, code: Int
    ) {
        var simulation = Simulation()
        simulation.authorization = nil
        let answer = simulation.send(method, path)
        #expect(answer.status == status)
        #expect(answer.code == code)
    }

    @Test func `ids in paths are decoded, and slashes merged`() {
        var simulation = Simulation()
        simulation.create(["external_task_id": "\"a b/c\""])
        #expect(simulation.send("GET", Simulation.path + "//a%20b%2Fc").code == 0)
        #expect(simulation.send("HEAD", Simulation.path + "/a%20b%2Fc/").code == 0)
    }

    @Test func `resource packs are shown for a valid key`() {
        var simulation = Simulation()
        #expect(simulation.send("GET", "/account/costs").code == 0)
        simulation.authorization = nil
        #expect(simulation.send("GET", "/account/costs").code == 1001)
    }
}
