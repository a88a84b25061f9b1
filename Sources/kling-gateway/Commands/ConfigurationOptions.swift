internal import ArgumentParser
internal import Foundation
internal import Gateway
internal import GatewayConfiguration

/// Where the configuration comes from, for every command that reads it.
struct ConfigurationOptions: ParsableArguments {
    @Option(
        help: "The configuration file. Default: KLING_GATEWAY_CONFIG, or /etc/kling-gateway/config.yaml if it exists.")
    var config: String?

    /// Reads the configuration file and the environment.
    /// - Parameters:
    ///   - flags: values from the command line, by key path.
    ///   - purpose: what is needed of the configuration.
    ///   - refusingWeakSecrets: whether keys and tokens that could be guessed are problems.
    func load(
        flags: [String: String] = [:], for purpose: ConfigurationPurpose = .serving, refusingWeakSecrets: Bool = false
    ) throws -> Configuration {
        do {
            let configuration = try Configuration.load(
                from: ConfigurationSources(
                    environment: ProcessInfo.processInfo.environment, configFlag: config, flags: flags), for: purpose,
                refusingWeakSecrets: refusingWeakSecrets)
            for warning in configuration.warnings { printError("warning: \(warning)") }
            return configuration
        } catch {
            printError("\(error)")
            throw ExitCode(78)
        }
    }
}
