import Base
import EventLoop
import HTTPClient
import HTTPServer
import KlingAPI
import KlingSimulator
import Testing

struct LoopbackTests {
    @Test func `a task is made, called back, queried and shown`() async throws {
        let (receiver, clock) = (try await Receiver(), SteppedClock())
        let secret = WebhookSignature.secret(key: [UInt8](repeating: 3, count: 32))
        try await Simulator.run {
            $0.duration = 4...4
            $0.now = { clock.now }
            $0.webhookSignatures = [WebhookSignature(secret)].compactMap { $0 }
        } body: { simulator in
            let body = Simulation.create(["callback_url": "\"\(receiver.url)\"", "external_task_id": "\"x\""])
            let made = try await simulator.post(body)
            #expect(made.status == 200)
            let taskID = try #require(KlingAnswer(made.body)?.task?.taskID)
            var statuses: [TaskStatus?] = []
            for await message in receiver.messages {
                #expect(message.isSigned(with: secret))
                let task = TaskObject(message.body)
                #expect(task?.taskID == taskID)
                statuses.append(task?.status)
                if task?.status?.isFinal == true { break }
                clock.advance(milliseconds: 3)
            }
            #expect(statuses == [.submitted, .processing, .succeed])
            let task = try #require(KlingAnswer(try await simulator.get(TryOn.path + "/x").body)?.task)
            #expect(task.status == .succeed)
            let picture = try await simulator.get(absolute: #require(task.images.first?.url))
            #expect(picture.headers["content-type"] == "image/png")
            #expect(picture.body == SamplePictures.result(seed: 0, taskID: taskID))
            let list = try await simulator.get(TryOn.path + "?pageSize=1")
            #expect(KlingAnswer(list.body)?.tasks?.first?.taskID == taskID)
        }
        await receiver.stop()
    }

    /// The errors that each violation causes at a client with a reused connection; none if the head can be trusted.
    private static let breaches: [(fault: WireFault, errors: Set<HTTPClientError.Code>)] = [
        (.reset, [.closed, .sendInterrupted]), (.close, [.closed, .sendInterrupted]), (.resetAfterHead, [.closed]),
        (.resetMidBody, [.closed]), (.lengthTooLong, [.closed]), (.lengthTooShort, []), (.garbage, [.malformed]),
        (.interimFlood, [.tooLarge]),
    ]

    @Test(arguments: breaches.indices)
    func `a violation of HTTP reaches the client as one`(index: Int) async throws {
        let row = Self.breaches[index]
        try await Simulator.run { _ in
        } body: { simulator in
            #expect(try await simulator.get(TryOn.path).status == 200)
            simulator.simulator.add(FaultRule(on: .create, SimulatedFault(.wire(row.fault), isDone: true), times: 1))
            do {
                let answer = try await simulator.post(Simulation.create())
                #expect(row.errors.isEmpty)
                #expect(KlingAnswer(answer.body) == nil)
            } catch let error as HTTPClientError {
                #expect(row.errors.contains(error.code), "\(error)")
                #expect(error.wasSent)
            }
            #expect(simulator.simulator.tasks.count == 1)
            #expect(try await simulator.get(TryOn.path).status == 200)
        }
    }

    @Test func `a client gives up on an answer that never comes or never ends`() async throws {
        try await Simulator.run {
            $0.faults = ["query:silence", "list:huge"].compactMap { FaultRule($0) }
        } body: { simulator in
            await #expect(throws: HTTPClientError.self) {
                try await simulator.get(TryOn.path + "/x", timeout: .milliseconds(200))
            }
            do {
                _ = try await simulator.get(TryOn.path)
                Issue.record("100 MiB were taken")
            } catch let error as HTTPClientError {
                #expect(error.code == .tooLarge)
            }
        }
    }

    @Test func `concurrent creates are accepted up to the number of slots`() async throws {
        try await Simulator.run {
            $0.accounts[0].concurrency = 7
        } body: { simulator in
            let codes = try await withThrowingTaskGroup(of: Int?.self) { group in
                for _ in 0..<40 {
                    group.addTask {
                        KlingAnswer(try await simulator.post(Simulation.create()).body)?.code.rawValue
                    }
                }
                return try await group.reduce(into: [Int?]()) { $0.append($1) }
            }
            #expect(codes.count { $0 == 0 } == 7)
            #expect(codes.count { $0 == 1303 } == 33)
            #expect(simulator.simulator.figures.first?.creates == 40)
            #expect(simulator.simulator.figures.first?.accepted == 7)
        }
    }

    @Test func `large pictures are accepted, and every field is recorded`() async throws {
        try await Simulator.run { _ in
        } body: { simulator in
            let file = SamplePictures.person + [UInt8](repeating: 0, count: 1 << 20)
            let text = "\"\(Base64.encode(file))\""
            let answer = try await simulator.post(Simulation.create(["human_image": text, "cloth_image": text]))
            #expect(KlingAnswer(answer.body)?.code == .ok)
            let requests = String(decoding: try await simulator.get("/_simulator/requests").body, as: UTF8.self)
            #expect(requests.contains(#"{"name":"X-Trace","value":"tests"}"#))
            #expect(requests.contains("\"x-trace\""))
        }
    }
}
