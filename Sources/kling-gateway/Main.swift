internal import ArgumentParser

#if THREAD_SANITIZER
internal import EventLoop
#endif

/// The command line, with one file per command in `Commands/`.
@main
struct KlingGateway: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kling-gateway",
        abstract: "A gateway in front of Kling's virtual try-on.",
        version: Version.number,
        subcommands: [
            ServeCommand.self, DemoCommand.self, CheckConfigCommand.self, KeysCommand.self, TasksCommand.self,
            TenantsCommand.self, UsageCommand.self, AuditCommand.self, DeliveriesCommand.self, WebhooksCommand.self,
            AccountsCommand.self, AlertsCommand.self, StoreCommand.self, SimulateCommand.self, HealthcheckCommand.self,
            OpenAPICommand.self, VersionCommand.self,
        ])
}

#if THREAD_SANITIZER
extension KlingGateway {
    /// The entry point, on an event loop: the sanitizer does not see what Dispatch's threads hand to each other.
    static func main() async throws {
        ProcessLimits.ignoreKeyLogFile()
        try await withTaskExecutorPreference(EventLoop(name: "main")) { await main(nil) }
    }
}
#else
extension KlingGateway {
    /// The entry point.
    static func main() async {
        ProcessLimits.ignoreKeyLogFile()
        await main(nil)
    }
}
#endif

/// Prints the version of this build.
struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")

    func run() { print("kling-gateway \(Version.number)") }
}
