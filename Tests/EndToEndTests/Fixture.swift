import Base
import EventLoop
import Foundation
import KlingSimulator
import TaskStore
import TestKit

/// A simulated Kling and the built gateway in front of it.
struct Fixture {
    let kling: KlingSimulator
    let gateway: GatewayProcess

    /// Runs `body` with both, and stops both.
    /// - Parameters:
    ///   - file: the gateway's configuration file, if any; the simulator's URL replaces `$KLING` in it.
    ///   - launcher: a command that starts the gateway by becoming it.
    ///   - concurrency: how many tasks the simulated account may run.
    static func run(
        file: String? = nil, environment: [String: String] = [:], launcher: [String] = [],
        concurrency: Int? = nil, duration: ClosedRange<Int> = 0...0, _ body: (Fixture) async throws -> Void
    ) async throws {
        let loop = try EventLoop(name: "kling")
        let account = SimulatedAccount(
            name: "kling",
            keys: [.signed(accessKey: "simulated-access-key", secretKey: Secret("simulated-secret-key"))],
            concurrency: concurrency)
        var configuration = SimulatorConfiguration(accounts: [account])
        configuration.duration = duration
        let kling = try KlingSimulator(configuration: configuration, loops: [loop])
        try await kling.start()
        let folder = try TemporaryFolder()
        var environment = environment
        if let file {
            let text = file.replacingOccurrences(of: "$KLING", with: kling.url)
            environment["KLING_GATEWAY_CONFIG"] = try folder.write(text, to: "config.yaml")
        }
        let gateway: GatewayProcess
        do {
            gateway = try await GatewayProcess(
                kling: kling.url, folder: folder, environment: environment, launcher: launcher)
        } catch {
            await kling.stop()
            loop.stop()
            throw error
        }
        let failure: (any Error)?
        do {
            try await body(Fixture(kling: kling, gateway: gateway))
            failure = nil
        } catch {
            failure = error
        }
        let status = try await gateway.stop()
        await kling.stop()
        loop.stop()
        if let failure { throw failure }
        if status != 0 { throw TestKitError("the gateway ended with \(status):\n\(gateway.program.errorText)") }
    }

    /// Unsets the account of the environment, so that the configuration file's accounts stand alone.
    static let noAccount = ["KLING_ACCESS_KEY": "", "KLING_SECRET_KEY": "", "KLING_BASE_URL": ""]

    /// An account that is not probed for whether it finds tasks by the gateway's ids.
    static let knownAccount = """
        upstreams:
          - { name: a, url: $KLING, access_key: simulated-access-key, secret_key: simulated-secret-key, lookup: yes }

        """

    static let path = "/v1/images/kolors-virtual-try-on"

    /// A create with two URLs and any other members.
    static func body(_ more: String = "") -> String {
        let pictures =
            #""human_image":"https://shop.example/person.png","cloth_image":"https://shop.example/shirt.png""#
        return "{\(pictures)\(more.isEmpty ? "" : ",")\(more)}"
    }

    /// Creates a task.
    func create(_ more: String = "", key: String? = GatewayProcess.key) async throws -> RawClient.Answer {
        try await gateway.ask("POST", Self.path, key: key, body: Self.body(more))
    }

    /// Creates a task that must be accepted, and returns its id.
    func createdTask(_ more: String = "") async throws -> String {
        let answer = try await create(more)
        guard answer.status == 200, let id = answer.data["task_id"] as? String else {
            throw TestKitError("the create was answered \(answer.status): \(answer.text)")
        }
        return id
    }

    /// The header fields of the last create that reached Kling.
    func seenByKling() async throws -> [(name: String, value: String)] {
        guard let port = kling.url.split(separator: ":").last.flatMap({ UInt16($0) }) else { return [] }
        let answer = try await blocking {
            let client = try RawClient(port: port)
            try client.send("GET /_simulator/requests HTTP/1.1\r\nHost: kling\r\n\r\n")
            return try client.readAnswer()
        }
        let points = answer?.json["headers"] as? [String: Any]
        let fields = points?["create"] as? [[String: String]] ?? []
        return fields.map { ($0["name"] ?? "", $0["value"] ?? "") }
    }

    /// Makes the next requests to Kling fail as `rule` says.
    func fail(_ rule: String) throws {
        guard let rule = FaultRule(rule) else { throw TestKitError("no such fault: \(rule)") }
        kling.add(rule)
    }
}

extension TemporaryFolder {
    /// Opens the store of the gateway whose files are in this folder, as a command does.
    func openStore() async throws -> any TaskStore {
        switch TestStore.chosen {
        case .sqlite: return try SQLiteTaskStore.open(path: path("gateway.db"))
        case .postgres:
            let url = try await database
            return try await blocking { try PostgresTaskStore.open(url: url) }
        }
    }
}

extension RawClient.Answer {
    var code: Int? { json["code"] as? Int }
    var error: [String: Any] { json["error"] as? [String: Any] ?? [:] }
    var data: [String: Any] { json["data"] as? [String: Any] ?? [:] }
    var tasks: [[String: Any]] { json["data"] as? [[String: Any]] ?? [] }
}
