import Base
import KlingAPI
import KlingSimulator
import Testing

struct FaultTests {
    private static func rules(_ texts: String...) -> [FaultRule] { texts.compactMap { FaultRule($0) } }

    @Test(arguments: KlingCode.documented.dropFirst())
    func `every code can answer a create, and makes no task`(code: KlingCode) {
        var simulation = Simulation { $0.faults = Self.rules("create:\(code.rawValue)") }
        let answer = simulation.create()
        #expect(answer.code == code.rawValue)
        #expect(answer.status == code.httpStatus)
        #expect(simulation.platform.tasks.isEmpty)
    }

    @Test func `a lost answer still makes its task`() {
        var simulation = Simulation { $0.faults = Self.rules("create:lost-answer:1:1") }
        let lost = simulation.create(["external_task_id": "\"x\""])
        #expect(lost.raw.delivery == .wire(isReset: true))
        #expect(lost.raw.body.isEmpty)
        #expect(simulation.query("x").task?.status == .submitted)
        #expect(simulation.create(["external_task_id": "\"x\""]).code == 1201)
    }

    @Test func `a refusal makes a task or not, as the fault says`() {
        var simulation = Simulation { $0.faults = Self.rules("create:5002:1:1", "create:made-5002:1:1") }
        #expect(simulation.create().status == 504)
        #expect(simulation.platform.tasks.count == 0)
        #expect(simulation.create().status == 504)
        #expect(simulation.platform.tasks.count == 1)
        #expect(simulation.create().code == 0)
    }

    /// How each answer that is valid HTTP starts, and whether it has Kling's envelope.
    private static let intact: [(fault: String, status: Int, start: String, hasEnvelope: Bool)] = [
        ("http-302", 302, "<html>", false), ("http-429", 429, "<html>", false), ("http-502", 502, "<html>", false),
        ("html", 200, "<html>", false), ("not-json", 200, "{\"code\":0", false), ("empty", 200, "", false),
        ("no-task-id", 200, "{\"code\":0", true),
    ]

    @Test(arguments: intact.indices)
    func `an answer can be valid HTTP and yet not one of Kling's`(index: Int) {
        let row = Self.intact[index]
        var simulation = Simulation { $0.faults = Self.rules("create:\(row.fault)") }
        let answer = simulation.create()
        #expect(answer.raw.delivery == .intact)
        #expect(answer.status == row.status)
        #expect(answer.text.hasPrefix(row.start))
        #expect((answer.kling != nil) == row.hasEnvelope)
        #expect(answer.task?.taskID == nil)
        #expect(answer.raw.headers.contains { $0.name == "Location" } == (row.status == 302))
    }

    @Test func `a huge answer is huge, and a gzip bomb is small`() {
        var simulation = Simulation { $0.faults = Self.rules("query:huge:1:1", "query:gzip-bomb") }
        let huge = simulation.query("x")
        #expect(huge.raw.body.reduce(0) { $0 + $1.count } > 100 << 20)
        let bomb = simulation.query("x")
        #expect(bomb.bytes.starts(with: [0x1F, 0x8B, 8]))
        #expect(bomb.bytes.count < 1 << 20)
    }

    /// How the answer on the wire starts, and whether the connection is reset after it.
    private static let wire: [(fault: WireFault, start: String, isReset: Bool)] = [
        (.reset, "", true), (.close, "", false), (.resetAfterHead, "HTTP/1.1 200", true),
        (.resetMidBody, "HTTP/1.1 200", true), (.lengthTooLong, "HTTP/1.1 200", false),
        (.lengthTooShort, "HTTP/1.1 200", false), (.garbage, "\u{1}\u{2}KLNG", false),
        (.interimFlood, "HTTP/1.1 100", false),
    ]

    @Test(arguments: wire.indices)
    func `a violation of HTTP has its own bytes and end of the connection`(index: Int) {
        let row = Self.wire[index]
        #expect(Self.wire.count == WireFault.allCases.count)
        var simulation = Simulation { $0.faults = [FaultRule(on: .list, SimulatedFault(.wire(row.fault)))] }
        let answer = simulation.list()
        #expect(answer.raw.delivery == .wire(isReset: row.isReset))
        #expect(answer.text.hasPrefix(row.start))
        #expect(answer.text.isEmpty == row.start.isEmpty)
    }

    @Test func `a slow answer is right but late`() {
        var simulation = Simulation { $0.faults = Self.rules("create:slow=2.5", "query:silence") }
        let made = simulation.create()
        #expect(made.code == 0)
        #expect(made.raw.delay == 2500)
        #expect(simulation.query(made.taskID).raw.delivery == .silence)
    }

    @Test func `a rule is limited to its account, its number of times and its probability`() {
        var simulation = Simulation {
            $0.faults = [FaultRule(on: .list, SimulatedFault(.code(.unavailable)), times: 2, account: "second")]
            $0.faults += Self.rules("query:5000:0.5")
        }
        #expect(simulation.list().code == 0)
        let failures = (0..<400).count { _ in simulation.query("x").code == 5000 }
        #expect((150...250).contains(failures))
        simulation.authorization = "Bearer other-key"
        #expect((0..<3).map { _ in simulation.list().code } == [5001, 5001, 0])
    }

    @Test func `a create can ask for its own fault, a number of times per external id`() {
        var simulation = Simulation()
        let instruction = ["external_task_id": "\"x\"", "simulate": #"{"fault":"1302","times":2}"#]
        #expect((0..<3).map { _ in simulation.create(instruction).code } == [1302, 1302, 0])
        #expect(simulation.create(["simulate": #"{"fault":"flood"}"#]).code == 1201)
    }

    @Test func `rules are added and cleared through the control API`() {
        var simulation = Simulation()
        func add(_ json: String) -> Int { simulation.send("POST", "/_simulator/faults", body: Array(json.utf8)).status }
        #expect(add(#"{"on":"list","fault":1302,"times":1}"#) == 200)
        #expect(add(#"{"on":"list","fault":"http-500","probability":1.0,"account":"first"}"#) == 200)
        #expect(add(#"{"on":"list","fault":"lost"}"#) == 400)
        #expect(add(#"{"on":"list","fault":"1302","probability":2}"#) == 400)
        #expect(add(#"{"on":"never","fault":"1302"}"#) == 400)
        #expect(add("[]") == 400)
        #expect(simulation.list().code == 1302)
        #expect(simulation.list().status == 500)
        #expect(simulation.send("DELETE", "/_simulator/faults").status == 200)
        #expect(simulation.list().code == 0)
    }

    @Test(arguments: [
        "create", "create:", "create:none", "watch:1302", "create:1302:2", "create:1302:x", "create:1302:1:0",
        "create:0", "create:http-99", "create:slow=", "callback:1302", "create:lost", "create:1302:1:1:1",
    ])
    func `an invalid rule is refused`(text: String) {
        #expect(FaultRule(text) == nil)
    }

    @Test func `the journal shows the requests and their fields`() {
        var simulation = Simulation { $0.faults = Self.rules("list:5000:1:1", "query:1302:0") }
        simulation.create(["external_task_id": "\"x\""])
        simulation.create(["external_task_id": "\"x\""])
        _ = simulation.query("x")
        _ = simulation.list()
        simulation.authorization = nil
        _ = simulation.list()
        let requests = simulation.send("GET", "/_simulator/requests").text
        #expect(requests.contains(#"{"account":"first","creates":2,"accepted":1,"queries":1,"lists":1,"running":1}"#))
        #expect(requests.contains(#""unauthorized":1"#))
        #expect(requests.contains(#""faults":{"create":0,"query":0,"list":1,"callback":0}"#))
        #expect(requests.contains(#"{"name":"Authorization","value":"Bearer plain-key"}"#))
        #expect(requests.contains(#""header_names":["authorization"]"#))
        let tasks = simulation.send("GET", "/_simulator/tasks").text
        for part in [
            #""external_task_id":"x","task_status":"submitted","callback_url":null,"#,
            #""human_image":"https://pictures.example/person.png","creates":2,"queries":1"#,
        ] { #expect(tasks.contains(part)) }
        simulation.authorization = "Bearer plain-key"
        simulation.create(["human_image": "\"\(Simulation.picture)\""])
        #expect(simulation.send("GET", "/_simulator/tasks").text.contains(#""human_image":null"#))
        #expect(simulation.send("POST", "/_simulator/reset").status == 200)
        #expect(simulation.send("GET", "/_simulator/tasks").text == #"{"tasks":[]}"#)
    }
}
