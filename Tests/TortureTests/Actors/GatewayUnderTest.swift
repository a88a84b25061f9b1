import Base
import Foundation
import GRDB
import TestKit

/// The built gateway, killed and restarted again and again on one store and one port. The store has a folder of its
/// own, whose power can be cut. Or several gateways on one PostgreSQL store, behind HAProxy: see ``Deployment``.
final class GatewayUnderTest: Sendable {
    private struct State {
        /// The gateways that run; nil for one that was killed.
        var programs: [Program?] = []
        var starts = 0
        var kills = 0
        var losses = PowerCut.Losses()
        var swaps = 0
        var isSwapped = false
        /// Whether its start is complete.
        var isServing = false
        /// Whether the database was away during its start.
        var mayHaveFailedToStart = false
        var hold: StoreHold?
        var isSpared = false
        /// The logs of the processes that have ended.
        var logs: [String] = []
    }

    private let deployment: Deployment
    private let folder: TemporaryFolder
    private let environment: [String: String]
    /// The environment of `serve`, with the libraries to load.
    private let servingEnvironment: [String: String]
    private let configuration: Configuration
    private let shim: ClockShim?
    private let powerCut: PowerCut?
    private let severity: PowerCut.Severity
    let database: String
    let options: TortureOptions
    private let state = Lock(State())

    /// Prepares a configuration with `upstream`.
    /// - Parameters:
    ///   - disk: the store's folder.
    ///   - shim: sets the gateway's clock.
    ///   - powerCut: watches the store's folder.
    init(
        _ options: TortureOptions, upstream: Upstream, disk: TemporaryFolder, shim: ClockShim?, powerCut: PowerCut?
    ) async throws {
        database = disk.path("gateway.db")
        deployment =
            try await options.replicas > 1
            ? Deployment(replicas: options.replicas, hasStandby: options.failovers > 0)
            : Deployment(database: database)
        folder = try TemporaryFolder()
        self.shim = shim
        self.powerCut = powerCut
        self.options = options
        severity = options.ignoresSyncs ? .whole : .random
        configuration = Configuration(options: options, upstreamURL: upstream.url, ownURL: deployment.url)
        try folder.write(configuration.text(swapped: false), to: Self.file)
        environment = [
            "HOME": folder.path(""), "KLING_GATEWAY_CONFIG": folder.path(Self.file),
            "KLING_GATEWAY_ADMIN_LISTEN": "127.0.0.1:0", "KLING_GATEWAY_STORE": deployment.store,
            "KLING_GATEWAY_LOG_FORMAT": "json",
            "KLING_GATEWAY_MASTER_KEY": String(repeating: "0123456789abcdef", count: 4),
        ]
        var serving = environment
        let watching = options.ignoresSyncs ? PowerCut.ignoringSyncs : [:]
        for more in [shim?.environment, powerCut?.environment, watching] {
            serving.merge(more ?? [:]) { one, other in "\(one):\(other)" }
        }
        servingEnvironment = serving
    }

    private static let file = "config.yaml"

    /// Where clients are served.
    var url: String { deployment.url }
    /// The URL of the database; nil for a store in a file.
    var databaseURL: String? { deployment.database?.url }
    /// How often a standby was promoted.
    var failovers: Int { deployment.database?.failovers ?? 0 }

    // MARK: The process

    /// Starts what does not run, without waiting until it serves.
    /// - Parameters:
    ///   - swapped: whether the name of one account stands for another account.
    ///   - syncDelay: how long each sync waits before it begins.
    func start(swapped: Bool = false, syncDelay: Duration = .zero) throws {
        try folder.write(configuration.text(swapped: swapped), to: Self.file)
        let slow = powerCut == nil ? [:] : PowerCut.delayingSyncs(by: syncDelay)
        let environment = servingEnvironment.merging(slow) { _, new in new }
        let running = state.withLock { $0.programs }
        let programs = try deployment.processes.enumerated().map { number, own in
            try number < running.count && running[number] != nil
                ? running[number] : Program.gateway(["serve"], environment: environment.merging(own) { $1 })
        }
        state.withLock { state in
            state.starts += programs.count - running.count { $0 != nil }
            state.programs = programs
            if state.isSwapped != swapped { state.swaps += 1 }
            state.isSwapped = swapped
        }
    }

    /// Waits until it serves.
    func whenServing() async throws {
        for number in deployment.processes.indices {
            do { try await whenServing(number) } catch {
                guard state.withLock({ $0.mayHaveFailedToStart }) else { throw error }
                // What supervises a gateway starts it again.
                try await kill(.gateway(number))
                try start()
                try await whenServing(number)
            }
        }
        try await deployment.whenReachable()
        state.withLock { ($0.isServing, $0.mayHaveFailedToStart) = (true, false) }
    }

    private func whenServing(_ number: Int) async throws {
        let program = state.withLock { $0.programs[number] }
        _ = try await program?.errorLine { $0.contains(#""message":"serving""#) ? true : nil }
    }

    /// Keeps the gateway from writing to its store until ``releaseStore()``, or until it is killed, as no start may
    /// fail because of it.
    /// - Parameter isSpared: whether the gateway must not be killed meanwhile.
    /// - Returns: whether the store could be held now.
    func holdStore(isSpared: Bool) -> Bool {
        state.withLock { state in
            guard state.isServing else { return false }
            state.hold = StoreHold(database: database)
            state.isSpared = isSpared && state.hold != nil
            return state.hold != nil
        }
    }

    func releaseStore() { state.withLock { ($0.hold, $0.isSpared) = (nil, false) } }

    /// Whether it must not be killed now.
    var isSpared: Bool { state.withLock { $0.isSpared } }

    /// Sends SIGKILL and waits for the process to end.
    /// - Parameters:
    ///   - victim: the gateway, if there are several.
    ///   - dice: decides what a power cut leaves of what was not synced; nil for a kill that loses nothing.
    func kill(_ victim: KillPlan.Victim = .gateway(0), cuttingPower dice: Dice? = nil) async throws {
        guard case .gateway(let number) = victim else { return }
        let running = state.withLock { state in
            (state.isServing, state.hold) = (false, nil)
            return state.programs.indices.contains(number) ? state.programs[number] : nil
        }
        guard let program = running else { return }
        program.signal(SIGKILL)
        let log = try await program.end().errors
        state.withLock { state in
            state.kills += 1
            state.programs[number] = nil
            state.logs.append(log)
        }
        guard let dice, let powerCut else { return }
        let losses = try await blocking { [severity] in try powerCut.apply(dice, severity: severity) }
        state.withLock { $0.losses += losses }
    }

    /// Lets a gateway stand still for a while, or crashes the database and starts it again, or its standby in its place.
    func strike(_ victim: KillPlan.Victim) async throws {
        state.withLock { state in
            state.kills += 1
            if victim.isDatabase, !state.isServing { state.mayHaveFailedToStart = true }
        }
        switch victim {
        case .gateway: break
        case .pausedGateway(let number, let pause):
            let program = state.withLock { $0.programs[number] }
            program?.signal(SIGSTOP)
            try await Task.sleep(for: pause)
            program?.signal(SIGCONT)
        case .database: try await deployment.database?.crash()
        case .failover: try await deployment.database?.failOver()
        }
    }

    /// Kills it without waiting, whatever it is doing.
    func abandon() { for program in state.withLock({ $0.programs }) { program?.signal(SIGKILL) } }

    var counts: (starts: Int, kills: Int, swaps: Int) { state.withLock { ($0.starts, $0.kills, $0.swaps) } }

    /// What power cuts have lost so far.
    var losses: PowerCut.Losses { state.withLock { $0.losses } }

    /// The log lines about any of `words`, over all restarts, without those of GET requests.
    func logLines(about words: [String], limit: Int) -> [String] {
        let logs = state.withLock { $0.logs + $0.programs.map { $0?.errorText ?? "" } }
        let lines = logs.lazy.enumerated().flatMap { life, log in
            log.split(separator: "\n").lazy
                .filter { line in !line.contains(#""method":"GET""#) && words.contains { line.contains($0) } }
                .map { "life \(life + 1): \($0)" }
        }
        return Array(lines.prefix(limit))
    }

    // MARK: Commands

    /// Creates a tenant with a key.
    func makeTenant(_ name: String) async throws -> Tenant {
        struct Issued: Decodable {
            let key, webhookSecret: String
            enum CodingKeys: String, CodingKey {
                case key
                case webhookSecret = "webhook_secret"
            }
        }
        let output = try await run(["keys", "create", "--tenant", name, "--json"])
        let issued = try decoded(Issued.self, output.utf8, from: "keys create")
        return Tenant(name: name, key: issued.key, webhookSecret: Secret(issued.webhookSecret))
    }

    /// The tasks in the store.
    func tasks() async throws -> [StoreTask] {
        try await run(["tasks", "list", "--json", "--limit", "10000000"]).split(separator: "\n").map {
            try decoded(StoreTask.self, $0.utf8, from: "tasks list")
        }
    }

    /// What is wrong with the store's file.
    func damages() async throws -> [String] {
        if databaseURL != nil { return [] }
        return try await blocking { [database] in
            var configuration = GRDB.Configuration()
            configuration.readonly = true
            let queue = try DatabaseQueue(path: database, configuration: configuration)
            return try queue.read { try String.fetchAll($0, sql: "PRAGMA integrity_check") }.filter { $0 != "ok" }
        }
    }

    private func run(_ arguments: [String]) async throws -> String {
        let outcome = try await Program.gateway(arguments, environment: environment).end()
        guard outcome.status == 0 else {
            throw TestKitError("\(arguments.joined(separator: " ")) ended with \(outcome.status): \(outcome.errors)")
        }
        return outcome.output
    }

    // MARK: Set-up

    private struct Configuration: Sendable {
        let options: TortureOptions
        let upstreamURL, ownURL: String

        func text(swapped: Bool) -> String {
            var dice = Dice(seed: options.seed, "configuration")
            // In half of the runs Kling sends callbacks; the other half relies on queries alone.
            let hasPublicURL = dice.chance(0.5) && options.has(.callbacks)
            let accounts = AccountPlan(options).configured(swapped: swapped).map { $0.settings(url: upstreamURL) }
            return """
                upstreams:
                \(accounts.joined(separator: "\n"))
                query: { freshness: 50ms }
                dispatch: { wait: 200ms }
                queue: \(options.has(.queue) ? "{ tasks: 1000 }" : "off")
                callbacks: { allow: [127.0.0.0/8] }
                resend: { window: 1h }
                \(hasPublicURL ? "public_url: \(ownURL)" : "")
                """
        }
    }
}
