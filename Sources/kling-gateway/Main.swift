internal import ArgumentParser

/// The command line: one file a command, in `Commands/`.
@main
struct KlingGateway: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kling-gateway",
        abstract: "A gateway in front of Kling's virtual try-on.",
        version: Version.number,
        subcommands: [
            ServeCommand.self, DemoCommand.self, CheckConfigCommand.self, KeysCommand.self, TasksCommand.self,
            DeliveriesCommand.self, WebhooksCommand.self, AccountsCommand.self, SimulateCommand.self,
            HealthcheckCommand.self, OpenAPICommand.self, VersionCommand.self,
        ])
}

/// Says what this build is.
struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")

    func run() { print("kling-gateway \(Version.number)") }
}
