import Foundation
import KlingSimulator
import TestKit
import Testing

/// A create whose answer cannot have been read becomes one task at Kling when it is resent without a key. Two creates
/// that are both answered become two tasks.
@Suite(.aFewAtATime) struct CutAnswerTests {
    /// Checks that Kling has one task, and that a client's answer, if it got one, names it.
    private static func checkOneTask(_ answered: String?, _ rig: Rig, _ what: String) {
        let tasks = rig.kling.tasks
        #expect(tasks.count == 1, "\(what)")
        #expect(rig.creates() == 1, "\(what)")
        guard let answered, let task = tasks.first else { return }
        #expect([task.id, task.externalTaskID].contains(answered), "\(what)")
    }

    // MARK: One task

    @Test(arguments: ResendingClient.allCases, CuttingRelay.Cut.allCases)
    func `a client cut off while Kling takes its create has one task after resending`(
        client: ResendingClient, cut: CuttingRelay.Cut
    ) async throws {
        if let missing = client.missing { try Test.cancel("\(missing)") }
        try await Rig.run { rig in
            try rig.fail("create:slow=0.5:1:1")
            let kling = rig.kling
            let relay = try CuttingRelay(to: rig.gateway.port, cuts: 1, by: cut) {
                kling.figures.contains { $0.creates > 0 }
            }
            defer { relay.stop() }
            let answered = try await client.answeredTask(client.start(port: relay.port))
            let story = "\(client), \(cut): \(relay.posts) sent, \(answered == nil ? "not answered" : "answered")"
            print(story)
            if client.mustResend { #expect(relay.posts == 2 && answered != nil, "\(story)") }
            Self.checkOneTask(answered, rig, story)
        }
    }

    @Test(arguments: [ResendingClient.curl, .php, .loop], CuttingRelay.Cut.allCases)
    func `a client that resends before the gateway notices the cut has one task`(
        client: ResendingClient, cut: CuttingRelay.Cut
    ) async throws {
        if let missing = client.missing { try Test.cancel("\(missing)") }
        try await Rig.run { rig in
            try rig.fail("create:slow=0.5:1:1")
            let kling = rig.kling
            let relay = try CuttingRelay(to: rig.gateway.port, cuts: 1, by: cut, .clientFirst) {
                kling.figures.contains { $0.creates > 0 }
            }
            defer { relay.stop() }
            let answered = try await client.answeredTask(client.start(port: relay.port))
            Self.checkOneTask(answered, rig, "\(client), \(cut)")
        }
    }

    @Test(arguments: [ResendingClient.loop, .openai], CuttingRelay.Cut.allCases)
    func `a client cut off twice immediately has one task`(
        client: ResendingClient, cut: CuttingRelay.Cut
    ) async throws {
        if let missing = client.missing { try Test.cancel("\(missing)") }
        try await Rig.run { rig in
            let relay = try CuttingRelay(to: rig.gateway.port, cuts: 2, by: cut)
            defer { relay.stop() }
            let answered = try await client.answeredTask(client.start(port: relay.port))
            #expect(relay.posts == 3 && answered != nil)
            Self.checkOneTask(answered, rig, "\(client), \(cut)")
        }
    }

    @Test(
        .needsSQLite("these clients give up before a gateway has taken over what one on PostgreSQL has left"),
        arguments: [ResendingClient.loop, .openai])
    func `a create resent after the gateway was killed is recognized`(
        client: ResendingClient
    ) async throws {
        if let missing = client.missing { try Test.cancel("\(missing)") }
        try await Rig.run(isPublic: true) { rig in
            try rig.fail("create:slow=60:1:1")
            let program = try client.start(port: rig.gateway.port)
            try await eventually("Kling has the create") { rig.creates() == 1 }
            try await rig.kill()
            try await rig.start()
            let answered = try await client.answeredTask(program)
            #expect(answered != nil)
            Self.checkOneTask(answered, rig, "\(client)")
        }
    }

    // MARK: Two tasks

    @Test(arguments: [Fixture.path, EditForm.path])
    func `equal creates that are answered one after the other are separate tasks`(path: String) async throws {
        try await Rig.run { rig in
            let ids = [try await Self.create(path, rig.gateway), try await Self.create(path, rig.gateway)]
            #expect(Set(ids).count == 2 && rig.kling.tasks.count == 2)
        }
    }

    @Test func `equal creates from a client that half-closes its connection are separate tasks`() async throws {
        try await Rig.run { rig in
            let body = Fixture.body()
            for made in [1, 2, 3, 4] {
                let answer = try await blocking { [port = rig.gateway.port] in
                    let client = try RawClient(port: port)
                    try client.send(
                        "POST \(Fixture.path) HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer \(GatewayProcess.key)\r\n"
                            + "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n" + body)
                    client.finish()
                    return try client.readAnswer()
                }
                #expect(answer?.status == 200 && answer?["Idempotent-Replayed"] == nil)
                #expect(rig.kling.tasks.count == made)
            }
        }
    }

    @Test(arguments: [Fixture.path, EditForm.path])
    func `equal concurrent creates are separate tasks, even while the first is held`(path: String) async throws {
        try await Rig.run { rig in
            try rig.fail("create:slow=1:1:1")
            let gateway = rig.gateway
            async let first = Self.create(path, gateway)
            try await eventually("the first is held") { rig.creates() == 1 }
            async let second = Self.create(path, gateway)
            async let third = Self.create(path, gateway)
            let ids = Set([try await first, try await second, try await third])
            #expect(ids.count == 3 && rig.kling.tasks.count == 3)
        }
    }

    /// Sends a create to `path`, which must be answered, and returns its task.
    private static func create(_ path: String, _ gateway: GatewayProcess) async throws -> String {
        if path == Fixture.path { return try await gateway.create().createdTask() }
        let answer = try await gateway.edit(instructions: #"{"seconds":0.5}"#)
        return try #require(answer.json["task_id"] as? String, "\(answer.text)")
    }
}
