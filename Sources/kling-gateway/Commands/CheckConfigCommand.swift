internal import ArgumentParser
internal import Gateway
internal import GatewayConfiguration

/// Reads the configuration as `serve` does, and reports everything that is wrong with it.
struct CheckConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-config", abstract: "Report every problem of the configuration at once.")

    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "Accept keys and admin tokens that can be guessed, as with `serve`.") var allowWeakKeys = false
    @Argument(help: "The configuration file, as with --config.") var file: String?

    func validate() throws {
        if file != nil, options.config != nil {
            throw ValidationError("Give the file only once: with --config or as the argument.")
        }
    }

    func run() throws {
        var options = options
        if let file { options.config = file }
        let configuration = try options.load(refusingWeakSecrets: !allowWeakKeys)
        let upstreams = configuration.upstreams.map(\.name).joined(separator: ", ")
        print("The configuration is valid: \(configuration.upstreams.count) upstream(s): \(upstreams).")
    }
}
