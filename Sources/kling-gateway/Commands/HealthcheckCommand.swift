internal import ArgumentParser
internal import EventLoop
internal import Gateway
internal import GatewayConfiguration
internal import HTTPClient

/// Asks a running gateway's admin listener whether it is healthy, for containers without curl.
struct HealthcheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "healthcheck", abstract: "Exit with 0 if the gateway on this machine is healthy.")

    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "Check whether it is ready for requests (/readyz), not only whether it is running (/healthz).")
    var ready = false

    func run() async throws {
        let configuration = try options.load(for: .administration)
        let address = configuration.admin.listen.lazy.compactMap { address -> String? in
            guard case .tcp(let host, let port) = address else { return nil }
            return host == "0.0.0.0" || host == "::"
                ? "127.0.0.1:\(port)" : host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        }.first
        guard let address else { throw fail("the admin listener has no TCP address to ask: set admin.listen") }
        let loop = try EventLoop(name: "healthcheck")
        let client = try HTTPClient(loop: loop)
        var request = HTTPClientRequest(.get, "http://\(address)\(ready ? "/readyz" : "/healthz")")
        request.timeout = .seconds(4)
        let asked = request
        let status = await loop.spawn { try? await client.execute(asked).status }.value
        guard status == 200 else {
            throw fail("\(address) \(status.map { "answered \($0)" } ?? "does not answer")")
        }
        print("ok")
    }
}
