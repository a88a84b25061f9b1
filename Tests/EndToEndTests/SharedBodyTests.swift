import Base
import EventLoop
import Foundation
import KlingSimulator
import TestKit
import Testing

/// Bodies that reach one gateway and are needed by another, which shares its store.
@Suite(.aFewAtATime, .needsNoStore) struct SharedBodyTests {
    private static let configuration = """
        upstreams:
          - { name: a, url: $KLING, access_key: simulated-access-key, secret_key: simulated-secret-key, lookup: yes,
              concurrency: 1 }
        dispatch: { wait: 100ms }
        query: { freshness: 100ms }
        """

    /// Runs `body` with two gateways in front of an account that runs one task at a time.
    private func run(_ body: (KlingSimulator, [GatewayProcess]) async throws -> Void) async throws {
        let loop = try EventLoop(name: "kling")
        defer { loop.stop() }
        let keys: [SimulatedAccount.Key] = [
            .signed(accessKey: "simulated-access-key", secretKey: Secret("simulated-secret-key"))
        ]
        var configuration = SimulatorConfiguration(
            accounts: [SimulatedAccount(name: "kling", keys: keys, concurrency: 1)])
        configuration.duration = 3_000...3_000
        let kling = try KlingSimulator(configuration: configuration, loops: [loop])
        try await kling.start()
        let store = try await PostgresServer.shared.makeDatabase()
        var gateways: [GatewayProcess] = []
        for _ in 0..<2 {
            let folder = try TemporaryFolder()
            let file = Self.configuration.replacingOccurrences(of: "$KLING", with: kling.url)
            let environment = [
                "KLING_GATEWAY_CONFIG": try folder.write(file, to: "config.yaml"), "KLING_GATEWAY_STORE": store,
                "KLING_GATEWAY_MASTER_KEY": String(repeating: "0123456789abcdef", count: 4),
                "STATE_DIRECTORY": folder.path("state"),
            ]
            gateways.append(
                try await GatewayProcess(
                    kling: kling.url, folder: folder,
                    environment: environment.merging(Fixture.noAccount) { one, _ in one }))
        }
        var failure: (any Error)?
        do { try await body(kling, gateways) } catch { failure = error }
        for gateway in gateways { gateway.program.signal(SIGKILL) }
        await kling.stop()
        if let failure { throw failure }
    }

    @Test func `a picture that was uploaded to one gateway is read and used through another`() async throws {
        try await run { kling, gateways in
            let link = try await gateways[0].uploaded(SamplePictures.person)
            let name = try #require(link.split(separator: "/").last)
            let read = try await gateways[1].ask("GET", "/v1/kling/assets/\(name)")
            #expect(read.status == 200 && read.body == Array(SamplePictures.person))
            let path = "/v1/kling/assets/\(name)"
            #expect(try await gateways[1].ask("GET", path, key: GatewayProcess.otherKey).status == 404)
            let create = #"{"human_image":"\#(link)","cloth_image":"https://shop.example/shirt.png"}"#
            let answer = try await gateways[1].ask("POST", Fixture.path, body: create)
            #expect(answer.status == 200, "\(answer.text)")
            #expect(kling.tasks.count == 1)
        }
    }

    @Test func `a create that was queued by a killed gateway is sent by another, with its body`() async throws {
        try await run { kling, gateways in
            let person = Data(SamplePictures.person).base64EncodedString()
            var ids: [String] = []
            for order in ["first", "second"] {
                let body =
                    #"{"human_image":"\#(person)","cloth_image":"https://a.test/c.png","external_task_id":"\#(order)"}"#
                let answer = try await gateways[0].ask("POST", Fixture.path, body: body)
                ids.append(try #require(answer.data["task_id"] as? String, "\(answer.text)"))
            }
            #expect(kling.tasks.count == 1)
            gateways[0].program.signal(SIGKILL)
            try await eventually("the other one has sent it, and it has succeeded") {
                let answer = try await gateways[1].ask("GET", "\(Fixture.path)/\(ids[1])")
                return answer.data["task_status"] as? String == "succeed"
            }
            #expect(kling.tasks.count == 2)
        }
    }
}
