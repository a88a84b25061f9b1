import Base
import KlingAPI
import KlingSimulator
import Testing

struct SolutionsCallbackTests {
    private static let instruction = Simulation.named("x", #","callback_url":"http://shop.example/hook""#)

    private static func run(_ simulation: inout Simulation) -> [SimulatedCallback] {
        var sent: [SimulatedCallback] = []
        while let deadline = simulation.platform.nextDeadline {
            sent += simulation.platform.dueCallbacks(now: deadline, base: Simulation.base)
        }
        return sent
    }

    @Test func `each change of a task sends a callback in the new shape, with its word for success`() {
        var simulation = Simulation.speaking()
        let id = simulation.solve(Self.instruction).madeID
        let bodies = Self.run(&simulation).map { String(decoding: $0.body, as: UTF8.self) }
        let start = Simulation.start
        func body(_ status: String, _ updated: Int, _ outputs: String, _ billing: String) -> String {
            #"{"id":"\#(id)","status":"\#(status)","message":"","create_time":\#(start),"update_time":\#(start + updated),"#
                + #""external_id":"x","outputs":[\#(outputs)],"billing":[\#(billing)]}"#
        }
        #expect(
            bodies == [
                body("submitted", 0, "", ""), body("processing", 2500, "", ""),
                body(
                    "succeeded", 10_000, #"{"type":"image","url":"\#(Simulation.base)/results/\#(id)/0.png"}"#,
                    #"{"charge_type":"unit","amount":"1","package_type":"image"}"#),
            ])
    }

    @Test func `with both APIs, each task's callbacks have its own shape`() {
        var simulation = Simulation.speaking(.both) { $0.faults = [FaultRule("callback:lost:1:2")].compactMap { $0 } }
        simulation.solve(Self.instruction)
        simulation.create(["callback_url": #""http://shop.example/hook""#])
        // The first two, which told of the creates, were lost.
        #expect(
            Self.run(&simulation).map { JSONObject($0.body) }.map { $0?.string("status") ?? $0?.string("task_status") }
                == ["processing", "processing", "succeeded", "succeed"])
    }

    @Test func `two secrets both sign a message`() throws {
        var simulation = Simulation.speaking()
        simulation.solve(Self.instruction)
        let callback = try #require(simulation.platform.dueCallbacks(now: simulation.now, base: "").first)
        let secrets = [3, 4].map { WebhookSignature.secret(key: [UInt8](repeating: $0, count: 32)) }
        let signatures = secrets.compactMap { WebhookSignature($0) }
        let fields = Dictionary(
            uniqueKeysWithValues: callback.headers(signatures: signatures, now: simulation.now).map {
                ($0.name, $0.value)
            })
        let words = try #require(fields["webhook-signature"]).split(separator: " ").map { String($0) }
        #expect(words.count == 2)
        for (signature, word) in zip(signatures, words) {
            #expect(
                signature.verify(
                    id: callback.id, timestamp: fields["webhook-timestamp"] ?? "", body: callback.body, header: word,
                    now: simulation.now / 1000))
        }
    }

    @Test func `the console's test callback is sent once about an unknown task, whatever the rules`() throws {
        var simulation = Simulation { $0.faults = [FaultRule("callback:lost")].compactMap { $0 } }
        #expect(simulation.control("test-callback", #"{"url":"http://shop.example/hook"}"#).status == 200)
        #expect(simulation.platform.nextDeadline == 0)
        let sent = Self.run(&simulation)
        #expect(sent.map(\.url) == ["http://shop.example/hook"])
        let task = try #require(sent.first.flatMap { JSONObject($0.body) })
        #expect(task.string("status") == "submitted" && task.array("outputs")?.isEmpty == true)
        #expect(task.string("id")?.count == 18 && simulation.platform.tasks.isEmpty)
        for body in ["{}", #"{"url":"shop.example"}"#, #"{"url":1}"#] {
            #expect(simulation.control("test-callback", body).status == 400)
        }
        #expect(simulation.platform.nextDeadline == nil)
    }
}
