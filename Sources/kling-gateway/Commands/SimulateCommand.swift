internal import ArgumentParser
internal import Base
internal import EventLoop
internal import KlingAPI
internal import KlingSimulator

/// Runs a stand-in for Kling, to try out clients and faults.
struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate", abstract: "Run a stand-in for Kling: same API, errors, timing and pictures.")

    @Option(help: "Where to listen: host:port.")
    var listen = "127.0.0.1:9777"
    @Option(help: "The seed of ids, durations and pictures.")
    var seed: UInt64 = 0
    @Option(help: "The shortest duration of a task, in milliseconds.")
    var minDuration = 8_000
    @Option(help: "The longest duration of a task, in milliseconds.")
    var maxDuration = 15_000
    @Option(help: "A fault, such as create:reset:0.05; may be repeated.")
    var fault: [String] = []
    @Option(help: "How a query for an unknown task is answered: 1201, 1203 or failed.")
    var unknownTask = "1201"
    @Flag(help: "Accept the pictures of the newer API without fetching their URLs.")
    var noFetch = false
    @Option(help: "How tasks are paid for, as the newer API reports it: \(SimulatedBilling.usage).")
    var billing = SimulatedBilling.unit.rawValue
    @Option(help: "Sign callbacks with this secret, whsec_...; may be repeated, as during a rotation.")
    var webhookSecret: [String] = []
    @Flag(help: "Accept tokens regardless of their times, for clients whose clocks are wrong.")
    var anyTokenTime = false
    @OptionGroup(title: "Accounts") var accounts: SimulatedAccountOptions

    func run() async throws {
        ProcessLimits.ignoreBrokenPipes()
        _ = ProcessLimits.raiseDescriptorLimit()
        let loop = try EventLoop(name: "simulator")
        let simulator = try KlingSimulator(configuration: try simulation(), loops: [loop])
        try await simulator.start()
        // A process that waits for the address at the other end of a pipe gets it now.
        printNow(
            "Kling is simulated at \(simulator.url)" + (accounts.environment.map { ": \($0)" } ?? ""))
        await StopSignals(loop: loop).wait()
        await simulator.stop()
    }

    private func simulation() throws -> SimulatorConfiguration {
        guard let address = SocketAddress(listen) else {
            throw ValidationError("--listen '\(listen)' is not an address: give host:port, such as 127.0.0.1:9777")
        }
        guard minDuration >= 0, minDuration <= maxDuration else {
            throw ValidationError("--min-duration must not be above --max-duration")
        }
        guard let shape = SimulatorConfiguration.UnknownTaskShape(rawValue: unknownTask) else {
            throw ValidationError("--unknown-task is '\(unknownTask)', but must be 1201, 1203 or failed")
        }
        var configuration = SimulatorConfiguration(accounts: try accounts.accounts())
        configuration.address = address
        configuration.seed = seed
        configuration.duration = minDuration...maxDuration
        configuration.unknownTaskShape = shape
        configuration.checksTokenTimes = !anyTokenTime
        configuration.fetchesPictures = !noFetch
        configuration.billing = try SimulatedBilling(billing, of: "--billing", SimulatedBilling.usage)
        configuration.webhookSignatures = try webhookSecret.map { text in
            guard let signature = WebhookSignature(Secret(text)) else {
                throw ValidationError("--webhook-secret must be whsec_ followed by base64")
            }
            return signature
        }
        configuration.faults = try fault.map { text in
            guard let rule = FaultRule(text) else {
                throw ValidationError("--fault '\(text)' is not a fault: give \(FaultRule.usage)")
            }
            return rule
        }
        return configuration
    }
}
