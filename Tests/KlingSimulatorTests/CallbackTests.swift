import Base
import KlingAPI
import KlingSimulator
import Testing

struct CallbackTests {
    private static let instruction = ["callback_url": #""http://shop.example/hook""#]

    /// The callbacks that are sent until none are due, each with the time since the start.
    private static func run(_ simulation: inout Simulation) -> [(elapsed: Int, task: TaskObject)] {
        var sent: [(elapsed: Int, task: TaskObject)] = []
        while let deadline = simulation.platform.nextDeadline {
            for callback in simulation.platform.dueCallbacks(now: deadline, base: Simulation.base) {
                guard let task = TaskObject(callback.body) else { continue }
                sent.append((deadline - Simulation.start, task))
            }
        }
        return sent
    }

    @Test func `each change of a task sends a callback with the bare task, in order`() {
        var simulation = Simulation()
        let made = simulation.create(Self.instruction)
        simulation.create()
        #expect(simulation.platform.dueCallbacks(now: Simulation.start - 1, base: "").isEmpty)
        let sent = Self.run(&simulation)
        #expect(sent.map(\.elapsed) == [0, 2500, 10_000])
        #expect(sent.map(\.task.status) == [.submitted, .processing, .succeed])
        #expect(sent.allSatisfy { $0.task.taskID == made.taskID })
        #expect(sent.last?.task.images.first?.url == "\(Simulation.base)/results/\(made.taskID)/0.png")
    }

    @Test func `the callbacks of many tasks are sent in the order of their times`() {
        var simulation = Simulation {
            $0.accounts[0].concurrency = nil
            $0.duration = 100...60_000
        }
        for _ in 0..<60 {
            simulation.create(Self.instruction)
            simulation.now += 700
        }
        let sent = Self.run(&simulation)
        #expect(sent.count == 180)
        #expect(sent.map(\.task.updatedAt) == sent.map { Simulation.start + $0.elapsed })
        #expect(sent.map(\.elapsed) == sent.map(\.elapsed).sorted())
    }

    @Test func `a task that ends at once sends one callback`() {
        var simulation = Simulation()
        simulation.create(Self.instruction.merging(["simulate": #"{"seconds":0,"outcome":"failed"}"#]) { $1 })
        #expect(Self.run(&simulation).map(\.task.status) == [.failed])
    }

    @Test(arguments: [
        ("callback:lost:1:1", [TaskStatus.processing, .succeed]),
        ("callback:duplicate:1:1", [.submitted, .submitted, .processing, .succeed]),
        ("callback:late=3:1:1", [.processing, .submitted, .succeed]),
        ("callback:late=60:1:2", [.succeed, .submitted, .processing]),
    ])
    func `callbacks are lost, duplicated and delayed as the rules say`(rule: String, statuses: [TaskStatus]) {
        var simulation = Simulation { $0.faults = [FaultRule(rule)].compactMap { $0 } }
        simulation.create(Self.instruction)
        #expect(Self.run(&simulation).map(\.task.status) == statuses)
    }

    @Test func `callbacks are signed with the secret`() throws {
        var simulation = Simulation()
        simulation.create(Self.instruction)
        let due = simulation.platform.dueCallbacks(now: simulation.now, base: "")
        let callback = try #require(due.first)
        let secret = WebhookSignature.secret(key: [UInt8](repeating: 7, count: 32))
        let signature = try #require(WebhookSignature(secret))
        let fields = Dictionary(
            uniqueKeysWithValues: callback.headers(signatures: [signature], now: simulation.now).map {
                ($0.name, $0.value)
            })
        #expect(
            signature.verify(
                id: fields["webhook-id"] ?? "", timestamp: fields["webhook-timestamp"] ?? "", body: callback.body,
                header: fields["webhook-signature"] ?? "", now: simulation.now / 1000))
        #expect(callback.headers(signatures: [], now: simulation.now).map(\.name) == ["Content-Type"])
    }
}
