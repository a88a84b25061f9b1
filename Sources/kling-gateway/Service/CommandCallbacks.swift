internal import Base
internal import EventLoop
internal import Gateway
internal import GatewayConfiguration
internal import HTTPClient

/// Sends a callback from a command, which has no event loop otherwise.
struct CommandCallbacks: CallbackSender {
    private let allowed: [CIDR]

    /// - Parameter allowed: addresses that may be called besides those of the public internet.
    init(allowing allowed: [CIDR]) { self.allowed = allowed }

    func send(_ message: CallbackMessage) async throws(CallbackFailure) -> CallbackReply {
        let outcome: Result<CallbackReply, CallbackFailure>
        do {
            let loop = try EventLoop(name: "callbacks")
            defer { loop.stop() }
            let sender = try HTTPCallbackSender(loops: [loop], allowing: allowed)
            defer { sender.shutdown() }
            outcome = await loop.spawn { () -> Result<CallbackReply, CallbackFailure> in
                do throws(CallbackFailure) {
                    return .success(try await sender.send(message))
                } catch {
                    return .failure(error)
                }
            }.value
        } catch {
            throw CallbackFailure("\(error)")
        }
        return try outcome.get()
    }

    func refusal(of url: String) -> AddressRefusal? {
        AddressRefusal(AddressPolicy.publicInternet(allowing: allowed).refusal(of: url))
    }
}
