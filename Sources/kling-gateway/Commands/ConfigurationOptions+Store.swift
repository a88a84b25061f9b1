internal import Foundation
internal import Gateway
internal import GatewayConfiguration
internal import TaskStore

extension ConfigurationOptions {
    /// Makes the administration API available to a command for the duration of `body`: through the gateway that serves
    /// from the store, or else on the store itself. Says on standard error which store that is.
    /// - Parameters:
    ///   - purpose: what is needed of the configuration.
    ///   - canCreate: whether the command may go on with a new, empty store. Otherwise a missing one is an error.
    func withAdmin<Result>(
        _ purpose: ConfigurationPurpose = .administration, canCreate: Bool = false,
        _ body: (AdminCommand) async throws -> Result
    ) async throws -> Result {
        let configuration = try load(for: purpose)
        let name = "\(configuration.storage.store)"
        if configuration.isStoreMissing, !canCreate {
            throw fail(
                "there is no store at \(name): if `serve` uses another, set `store` or KLING_GATEWAY_STORE as for it")
        }
        if let client = AdminClient(withToken(configuration)) {
            printError("store: \(name) (through the running gateway)")
            return try await body(AdminCommand(.gateway(client)))
        }
        printError("store: \(name)" + (configuration.isStoreMissing ? " (new)" : ""))
        let store = try open { try configuration.openStore() }
        do {
            let result = try await body(AdminCommand(.store(configuration.adminAPI(on: store))))
            await store.close()
            return result
        } catch {
            await store.close()
            throw error
        }
    }

    /// The configuration with the operators' token, if that can be read here.
    private func withToken(_ configuration: Configuration) -> Configuration {
        let sources = ConfigurationSources(environment: ProcessInfo.processInfo.environment, configFlag: config)
        return (try? Configuration.load(from: sources, for: .calls)) ?? configuration
    }

    private func open(_ body: () throws -> any TaskStore) throws -> any TaskStore {
        do {
            return try body()
        } catch {
            throw fail("\(error)")
        }
    }
}
