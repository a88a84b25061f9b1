internal import ArgumentParser
internal import EventLoop
internal import Gateway
internal import GatewayConfiguration
internal import Logging
internal import TaskStore

/// Serves until SIGTERM or SIGINT.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serve clients until SIGTERM, and then let exchanges finish.")

    @OptionGroup var options: ConfigurationOptions
    @Option(help: "Where to listen, instead of the configured address: host:port or unix:/path.")
    var listen: String?
    @Option(help: "The log level, instead of the configured one.")
    var logLevel: String?
    @Flag(help: "Accept keys and admin tokens that can be guessed: short ones, and those of the documentation.")
    var allowWeakKeys = false

    func run() async throws {
        ProcessLimits.forbidCoreDumps()
        var flags: [String: String] = [:]
        flags["listen"] = listen
        flags["log.level"] = logLevel
        let configuration = try options.load(flags: flags, refusingWeakSecrets: !allowWeakKeys)
        ProcessLimits.ignoreBrokenPipes()
        ProcessLimits.returnFreedMemory()
        let log = LogOutput(configuration)
        if configuration.isStoreEphemeral {
            log.logger.warning(
                "the store is inside the container and is lost with it: mount a volume",
                metadata: ["store": "\(configuration.storage.store)"])
        }
        if configuration.isStoreMissing {
            log.logger.notice("a new store is created", metadata: ["store": "\(configuration.storage.store)"])
        }
        let service: GatewayService
        do {
            service = try await GatewayService.start(configuration, log: log)
        } catch {
            log.close()
            // It stood still while it started, for longer than the other gateways wait.
            if (error as? StoreError)?.code == .replaced { ProcessLimits.startAnew() }
            throw fail("\(error)")
        }
        let signals = await StopSignals(loop: service.signalLoop)
        ProcessLimits.unmapStartUpCode()
        log.logger.notice(
            "serving",
            metadata: [
                "addresses": "\(service.addresses.map(\.description).joined(separator: " "))",
                "admin": "\(service.adminAddresses.map(\.description).joined(separator: " "))",
                "store": "\(configuration.storage.store)",
            ])
        let unmapping = Self.unmapStartUpCode(on: service.signalLoop)
        await signals.wait()
        unmapping.cancel()
        await service.stop()
        log.close()
    }

    /// Gives back the code of the first checks of accounts, keys and alerts, which run for a while after the start. Code
    /// that is used again is mapped again.
    private static func unmapStartUpCode(on loop: EventLoop) -> Task<Void, Never> {
        loop.spawn {
            for seconds in [1, 1, 2, 6, 30] {
                guard (try? await loop.sleep(for: .seconds(seconds))) != nil else { return }
                ProcessLimits.unmapStartUpCode()
            }
        }
    }
}
