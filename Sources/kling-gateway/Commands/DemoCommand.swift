internal import ArgumentParser
internal import Base
internal import EventLoop
internal import Foundation
internal import Gateway
internal import GatewayConfiguration
internal import HTTPServer
internal import KlingAPI
internal import KlingSimulator

/// Runs a whole try-on on this machine: a simulated Kling that speaks the newer API, a gateway with a store and a key,
/// and a client of the older API and then of the newer one.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Watch a try-on go through a gateway and a simulated Kling on this machine.")

    @Flag(help: "Exit after the picture is stored instead of running until Ctrl-C.")
    var once = false
    @Option(help: "Where the gateway listens; another port is used if this one is taken.")
    var listen = "127.0.0.1:8080"
    @Option(
        name: [.customLong("folder"), .customLong("directory")],
        help: "Where the store, the requests and the picture are kept; by default, a new folder in TMPDIR or /tmp.")
    var folder: String?

    func validate() throws {
        let port = listen.split(separator: ":", omittingEmptySubsequences: false).last.flatMap { UInt16($0) } ?? 0
        guard port > 0, listen.contains(":") else {
            throw ValidationError("--listen is \(listen); it must be HOST:PORT, with a port from 1 to 65535")
        }
    }

    func run() async throws {
        ProcessLimits.ignoreBrokenPipes()
        let folder = try DemoFolder(folder)
        let simulatorLoop = try EventLoop(name: "simulator")
        let simulator = try KlingSimulator(configuration: .demo, loops: [simulatorLoop])
        try await simulator.start()
        let kling = simulator.url
        printNow("Kling     \(kling)  (simulated, speaks its newer API; nothing leaves this machine)")

        let (service, configuration, log) = try await startGateway(kling, folder)
        let gateway = "http://\(service.addresses[0])"
        printNow("Gateway   \(gateway)  (store: \(folder.path("gateway.db")))")
        let issued = try await configuration.issueKey(tenant: "demo")
        printNow("Key       \(issued.key.reveal())  (tenant demo)\n")
        let signals = await StopSignals(loop: service.signalLoop)

        let client = try DemoClient(gateway: gateway, key: issued.key.reveal(), folder: folder)
        let failure: (any Error)?
        do {
            let result = try await client.tryOn()
            printNow("\nThe picture is at \(result.path).")
            if !once {
                printNow("\nNow it is your turn, in another terminal:\n")
                client.printNextSteps(after: result)
                printNow("\nCtrl-C ends the demo.")
                await signals.wait()
            }
            failure = nil
        } catch {
            failure = error
        }
        client.stop()
        await service.stop()
        await simulator.stop()
        log.close()
        if let failure { throw failure }
    }

    /// Starts the gateway as `serve` would with this environment, on another port if the requested one is in use.
    private func startGateway(
        _ kling: String, _ folder: DemoFolder
    ) async throws -> (GatewayService, Configuration, LogOutput) {
        let host = listen.split(separator: ":").dropLast().joined(separator: ":")
        var log: LogOutput?
        // The account gets pictures as links to the gateway, so the port must be known before the gateway listens on
        // it.
        let others = (0..<5).map { _ in "\(host):\(UInt16.random(in: 20_000..<30_000))" }
        for address in [listen] + others {
            let configuration = try Configuration.load(from: .demo(kling: kling, listen: address, folder))
            let output = log ?? LogOutput(configuration)
            log = output
            do {
                return (try await GatewayService.start(configuration, log: output), configuration, output)
            } catch let error as ListenerError where error.isAddressInUse {
                printNow("          (\(address) is in use; the demo uses another port)")
            } catch {
                throw fail("\(error)")
            }
        }
        throw fail("no port is free on \(host)")
    }
}

extension SimulatorConfiguration {
    /// Quick enough to watch.
    fileprivate static var demo: SimulatorConfiguration {
        var configuration = SimulatorConfiguration(accounts: [.demo])
        configuration.duration = 2_000...3_000
        return configuration
    }
}

extension SimulatedAccount {
    /// The demo's account at Kling.
    fileprivate static let demo = {
        var account = SimulatedAccount(name: "demo", keys: [.plain(Secret("simulated-api-key"))])
        account.api = .solutions
        return account
    }()
}

extension ConfigurationSources {
    /// The environment that the demo's gateway reads instead of the process's.
    fileprivate static func demo(kling: String, listen: String, _ folder: DemoFolder) -> ConfigurationSources {
        ConfigurationSources(environment: [
            "KLING_API_KEY": "simulated-api-key",
            "KLING_API": "solutions",
            "KLING_BASE_URL": kling,
            "KLING_GATEWAY_PUBLIC_URL": "http://\(listen)",
            "KLING_GATEWAY_LISTEN": listen,
            "KLING_GATEWAY_ADMIN_LISTEN": "127.0.0.1:0",
            "KLING_GATEWAY_STORE": "sqlite:" + folder.path("gateway.db"),
            "KLING_GATEWAY_LOG_LEVEL": "warning",
            "KLING_GATEWAY_LOG_FORMAT": "text",
        ])
    }
}
