internal import ArgumentParser
internal import GatewayConfiguration

/// Tries out the webhook that operators are alerted by.
struct AlertsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alerts", abstract: "Try out the webhook for alerts.", subcommands: [Test.self])

    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send one signed test event to alerts.url, and print the status of the answer.")

        @OptionGroup var options: ConfigurationOptions
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            let status: Int
            do {
                status = try await AlertService.test(options.load(for: .alerting).alerts)
            } catch let error as ServiceError {
                throw fail(error.description)
            }
            print(json ? "{\"status\":\(status)}" : "\(status)")
            if !(200...299).contains(status) { throw ExitCode.failure }
        }
    }
}
