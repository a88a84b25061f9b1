import Base
import EventLoop
import Foundation
import KlingSimulator
import TestKit
import Testing

/// Free calls detect wrong settings of accounts, and the findings are shown to operators and clients.
@Suite(.aFewAtATime) struct AccountCheckTests {
    private static func check(
        _ kling: String, _ environment: [String: String] = [:], _ arguments: String...
    ) async throws -> Program.Outcome {
        let folder = try TemporaryFolder()
        let environment = try await GatewayProcess.environment(kling: kling, folder).merging(environment) { $1 }
        let outcome = try await Program.gateway(["accounts", "--check"] + arguments, environment: environment).end()
        // It needs no store, and creates none.
        #expect(!FileManager.default.fileExists(atPath: folder.path("gateway.db")))
        return outcome
    }

    /// A URL at which nothing listens.
    private static let deadURL = "http://127.0.0.1:9"

    @Test func `accounts --check says what is wrong and how to fix it`() async throws {
        try await Fixture.run { fixture in
            let kling = fixture.kling.url
            let good = try await Self.check(kling)
            #expect(good.status == 0 && good.output.contains("usable"), "\(good.output)\(good.errors)")
            let json = try await Self.check(kling, [:], "--json")
            #expect(json.output.contains(#""reached":true,"problem":null"#), "\(json.output)")
            for (url, environment, expected) in [
                (Self.deadURL, [:], "cannot connect to \(Self.deadURL)"),
                ("http://host.invalid", [:], "the host of http://host.invalid has no address"),
                (kling.replacingOccurrences(of: "http:", with: "https:"), [:], "the TLS handshake with"),
                (kling + "/wrong", [:], "check the path of `url`"),
                (kling, ["KLING_ACCESS_KEY": "no-such-key"], "check `access_key` and `secret_key`"),
                (kling, ["KLING_SECRET_KEY": "wrong"], "check `access_key` and `secret_key`"),
            ] {
                let outcome = try await Self.check(url, environment)
                #expect(outcome.status == 1 && outcome.output.contains("does not work"), "\(outcome.output)")
                #expect(outcome.output.contains("env: ") && outcome.output.contains(expected), "\(outcome.output)")
            }
        }
    }

    @Test func `accounts --check names the API that an account speaks`() async throws {
        try await Rig.run([Rig.Account(name: "kling", settings: "api: kolors", api: .solutions)]) { rig in
            let environment = [
                "KLING_API": "kolors", "KLING_API_KEY": "key-kling", "KLING_ACCESS_KEY": "", "KLING_SECRET_KEY": "",
            ]
            let outcome = try await Self.check(rig.kling.url, environment)
            #expect(outcome.status == 1 && outcome.output.contains("set `api: solutions`"), "\(outcome.output)")
            let auto = try await Self.check(rig.kling.url, environment.merging(["KLING_API": "auto"]) { $1 })
            #expect(auto.status == 0, "\(auto.output)\(auto.errors)")
        }
    }

    @Test func `accounts --check says when this machine's clock is wrong`() async throws {
        guard let clock = try await ClockShim.ofGateway() else { return }
        try await Fixture.run { fixture in
            for (hours, words) in [(1, "not yet valid"), (-1, "expired")] {
                try clock.set(milliseconds: Int64(hours) * 3_600_000)
                let outcome = try await Self.check(fixture.kling.url, clock.environment)
                #expect(outcome.status == 1 && outcome.output.contains(words), "\(outcome.output)")
                #expect(outcome.output.contains("correct this machine's clock"), "\(outcome.output)")
            }
        }
    }

    @Test func `a gateway whose account was never reached is not ready, and tells its clients`() async throws {
        let port = try freePort()
        let url = "http://127.0.0.1:\(port)"
        let gateway = try await GatewayProcess(kling: url)
        let ready = try await gateway.ask("GET", "/readyz", key: nil, admin: true)
        #expect(ready.status == 503 && ready.text.contains(#""accounts":"failed""#), "\(ready.text)")
        let create = try await gateway.ask("POST", Fixture.path, body: Fixture.body())
        #expect(create.status == 503 && create.code == 5001, "\(create.text)")
        #expect(create.text.contains("has been reached so far") && !create.text.contains(url))
        try await eventually("the finding is stored") {
            let shown = try await Self.accounts(gateway)
            return shown.contains("does not work") && shown.contains("cannot connect to \(url)")
        }
        let log = gateway.program.errorText
        #expect(log.contains("an account does not work") && log.contains("no account has ever been reached"))

        // Once the host is up, everything recovers on its own.
        var configuration = SimulatorConfiguration(accounts: [Self.account])
        configuration.address = SocketAddress.ipv4(address: 0x7F00_0001, port: port)
        configuration.duration = 0...0
        let loop = try EventLoop(name: "kling")
        let again = try KlingSimulator(configuration: configuration, loops: [loop])
        try await again.start()
        try await eventually("it is ready") {
            try await gateway.ask("GET", "/readyz", key: nil, admin: true).status == 200
        }
        #expect(try await gateway.ask("POST", Fixture.path, body: Fixture.body()).status == 200)
        try await eventually("the account is shown as usable") { try await Self.accounts(gateway).contains("usable") }
        #expect(try await gateway.stop() == 0)
        await again.stop()

        // An account that has worked before may be unreachable at a restart.
        let restarted = try await GatewayProcess(kling: url, folder: gateway.folder)
        #expect(try await restarted.ask("GET", "/readyz", key: nil, admin: true).status == 200)
        #expect(try await restarted.stop() == 0)
        loop.stop()
    }

    private static let account = SimulatedAccount(
        name: "kling", keys: [.signed(accessKey: "simulated-access-key", secretKey: Secret("simulated-secret-key"))])

    private static func accounts(_ gateway: GatewayProcess) async throws -> String {
        let environment = try await GatewayProcess.environment(kling: "http://127.0.0.1:9", gateway.folder)
        return try await Program.gateway(["accounts"], environment: environment).end().output
    }
}
