import Base
import EventLoop
import Foundation
import KlingSimulator
import TestKit

/// A simulated Kling with several accounts, and the built gateway in front of it. The test kills, reconfigures and
/// restarts the gateway on one store.
final class Rig {
    /// An account, as Kling and as the gateway know it.
    struct Account {
        let name: String
        /// How many tasks Kling runs at once for it.
        var slots: Int?
        /// Its other settings at the gateway.
        var settings = "lookup: yes"
        /// The URL that the gateway is given for it; nil for the true one.
        var url: String?
        /// Which of Kling's APIs it speaks, with an API key; nil: the older one, with signed tokens.
        var api: SimulatedAPI?

        /// An account that is configured to speak the newer API, or that speaks the older one by default.
        static func speaking(_ api: SimulatedAPI) -> Account {
            api == .solutions ? Account(name: "kling", settings: "api: solutions", api: api) : Account(name: "kling")
        }

        fileprivate var simulated: SimulatedAccount {
            let key: SimulatedAccount.Key =
                api == nil
                ? .signed(accessKey: "access-\(name)", secretKey: Secret("secret-\(name)"))
                : .plain(Secret("key-\(name)"))
            var account = SimulatedAccount(name: name, keys: [key], concurrency: slots)
            account.api = api ?? .kolors
            return account
        }

        fileprivate var credentials: String {
            api == nil ? "access_key: access-\(name), secret_key: secret-\(name)" : "api_key: key-\(name)"
        }
    }

    let kling: KlingSimulator
    let folder: TemporaryFolder
    private(set) var gateway: GatewayProcess
    private var accounts: [Account]
    private var settings: String
    /// The environment variables that stay the same over all restarts of the gateway.
    private let address: [String: String]
    /// Cuts the power of the gateway's folder, once the gateway was killed.
    let powerCut: PowerCut?

    private init(
        _ kling: KlingSimulator, _ accounts: [Account], _ settings: String, isPublic: Bool, losesPower: Bool,
        _ clock: ClockShim?
    ) async throws {
        self.kling = kling
        self.accounts = accounts
        self.settings = settings
        folder = try TemporaryFolder()
        powerCut = losesPower ? try await PowerCut(watching: folder.url) : nil
        address = (isPublic ? Self.publicAddress(try freePort()) : [:])
            .merging(clock?.environment ?? powerCut?.environment ?? [:]) { $1 }
        let environment = try Self.environment(folder, Self.file(accounts, settings, kling), address)
        gateway = try await GatewayProcess(kling: "", folder: folder, environment: environment)
    }

    private static func publicAddress(_ port: UInt16) -> [String: String] {
        ["KLING_GATEWAY_LISTEN": "127.0.0.1:\(port)", "KLING_GATEWAY_PUBLIC_URL": "http://127.0.0.1:\(port)"]
    }

    /// Runs `body` with both, and stops both.
    /// - Parameters:
    ///   - settings: the gateway's configuration file without its accounts.
    ///   - isPublic: whether Kling may call the gateway, which then keeps its address across restarts.
    ///   - duration: how long tasks take, in milliseconds.
    ///   - losesPower: whether the power of the gateway's folder can be cut; not together with a clock.
    ///   - fetchesPictures: whether Kling's newer API fetches the links that it is sent.
    ///   - clock: shifts the gateway's wall clock; Kling's clock is shifted too, so that it accepts the tokens.
    static func run(
        _ accounts: [Account] = [Account(name: "kling")], settings: String = "", isPublic: Bool = false,
        duration: ClosedRange<Int> = 0...0, clock: ClockShim? = nil, losesPower: Bool = false,
        fetchesPictures: Bool = false, _ body: (Rig) async throws -> Void
    ) async throws {
        let loop = try EventLoop(name: "kling")
        var configuration = SimulatorConfiguration(accounts: accounts.map(\.simulated))
        configuration.fetchesPictures = fetchesPictures
        configuration.duration = duration
        if let clock { configuration.now = { Int(WallClock.milliseconds + clock.milliseconds) } }
        let kling = try KlingSimulator(configuration: configuration, loops: [loop])
        try await kling.start()
        let failure: (any Error)?
        do {
            let rig = try await Rig(kling, accounts, settings, isPublic: isPublic, losesPower: losesPower, clock)
            failure = await outcome { try await body(rig) }
            try await rig.stop()
        } catch {
            await kling.stop()
            loop.stop()
            throw error
        }
        await kling.stop()
        loop.stop()
        if let failure { throw failure }
    }

    private static func outcome(_ body: () async throws -> Void) async -> (any Error)? {
        do { try await body() } catch { return error }
        return nil
    }

    // MARK: Restarts

    /// Kills it, as a crash would.
    func kill() async throws {
        gateway.program.signal(SIGKILL)
        _ = try await gateway.program.end()
    }

    /// Stops it as an operator would.
    func stop() async throws {
        let status = try await gateway.stop()
        if status != 0 { throw TestKitError("the gateway ended with \(status):\n\(gateway.program.errorText)") }
    }

    /// Starts it again, with another configuration if one is given.
    func start(_ accounts: [Account]? = nil, settings: String? = nil) async throws {
        self.accounts = accounts ?? self.accounts
        self.settings = settings ?? self.settings
        let environment = try Self.environment(folder, Self.file(self.accounts, self.settings, kling), address)
        gateway = try await GatewayProcess(kling: "", folder: folder, environment: environment)
    }

    private static func environment(
        _ folder: TemporaryFolder, _ file: String, _ address: [String: String]
    ) throws -> [String: String] {
        let path = try folder.write(file, to: "config.yaml")
        return Fixture.noAccount.merging(address) { $1 }.merging(["KLING_GATEWAY_CONFIG": path]) { $1 }
    }

    private static func file(_ accounts: [Account], _ settings: String, _ kling: KlingSimulator) -> String {
        let upstreams = accounts.map { account in
            "  - { name: \(account.name), url: \(account.url ?? kling.url), \(account.credentials), "
                + "\(account.settings) }\n"
        }
        return "upstreams:\n\(upstreams.joined())\(settings)\n"
    }

    /// Runs a gateway command on the same store and configuration, and returns what it prints.
    func command(_ arguments: String...) async throws -> String {
        let outcome = try await program(arguments).end()
        guard outcome.status == 0 else { throw TestKitError("\(arguments): \(outcome.errors)") }
        return outcome.output
    }

    /// Starts a gateway command on the same store and configuration.
    func program(_ arguments: [String]) async throws -> Program {
        let environment = try await GatewayProcess.environment(kling: "", folder)
            .merging(try Self.environment(folder, Self.file(accounts, settings, kling), address)) { $1 }
        return try Program.gateway(arguments, environment: environment)
    }

    // MARK: Kling

    /// How many creates have reached Kling, in all or for one account.
    func creates(on account: String? = nil) -> Int {
        kling.figures.filter { account == nil || $0.account == account }.reduce(0) { $0 + $1.creates }
    }

    /// Makes the next requests to Kling fail as `rule` says.
    func fail(_ rule: String, on account: String? = nil) throws {
        guard var rule = FaultRule(rule) else { throw TestKitError("no such fault: \(rule)") }
        rule.account = account
        kling.add(rule)
    }

    // MARK: Clients

    func create(
        _ more: String = "", key: String = GatewayProcess.key, headers: [String] = []
    ) async throws -> RawClient.Answer {
        try await gateway.create(more, key: key, headers: headers)
    }

    /// Creates a task that must be accepted, and returns its id.
    func createdTask(_ more: String = "") async throws -> String { try await create(more).createdTask() }

    func query(_ id: String) async throws -> RawClient.Answer {
        try await gateway.ask("GET", Fixture.path + "/" + id)
    }

    /// The status of a task that the client is shown.
    func status(_ id: String) async throws -> String? { try await query(id).data["task_status"] as? String }

    /// The id of the only task, whose create was open when the gateway was killed. A gateway that shares its store cannot
    /// know whether a dead one has told a client its own id.
    var idAfterCrash: String {
        guard let task = kling.tasks.first else { return "" }
        return TestStore.chosen == .sqlite ? task.id : task.externalTaskID ?? ""
    }

    /// The statuses of the tenant's tasks, by their ids.
    func listed() async throws -> [String: String] {
        let tasks = try await gateway.ask("GET", Fixture.path + "?pageSize=500").tasks
        return Dictionary(
            tasks.map { ($0["task_id"] as? String ?? "", $0["task_status"] as? String ?? "") }
        ) { "\($0) and \($1)" }
    }
}

extension SimulatedAPI {
    /// Both of Kling's APIs; a client must not notice which one serves it.
    static let either: [SimulatedAPI] = [.kolors, .solutions]
}

extension GatewayProcess {
    func create(
        _ more: String = "", key: String = GatewayProcess.key, headers: [String] = []
    ) async throws -> RawClient.Answer {
        try await ask("POST", Fixture.path, key: key, headers: headers, body: Fixture.body(more))
    }

    /// Sends creates concurrently.
    func creates(_ count: Int) async throws -> [RawClient.Answer] {
        try await withThrowingTaskGroup(of: RawClient.Answer.self) { group in
            for _ in 0..<count { group.addTask { try await self.create() } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }
}

extension GatewayProcess {
    /// Sends creates concurrently, one for each `Idempotency-Key` field, and resends each until it is accepted.
    func repeated(_ keys: [String]) async throws -> [RawClient.Answer] {
        try await withThrowingTaskGroup(of: RawClient.Answer?.self) { group in
            for key in keys {
                group.addTask {
                    var answer: RawClient.Answer?
                    try await eventually("the create is accepted") {
                        answer = try await self.create(headers: [key])
                        return answer?.status == 200
                    }
                    return answer
                }
            }
            return try await group.reduce(into: []) { all, answer in if let answer { all.append(answer) } }
        }
    }
}

extension RawClient.Answer {
    /// The id of the accepted task.
    func createdTask() throws -> String {
        guard status == 200, let id = data["task_id"] as? String else {
            throw TestKitError("the create was answered \(status): \(text)")
        }
        return id
    }

    /// Whether it says that no account has room, and when to retry.
    var isSaturation: Bool {
        status == 429 && code == 1303 && (1...60).contains(self["Retry-After"].flatMap { Int($0) } ?? 0)
    }
}
