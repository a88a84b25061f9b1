internal import EventLoop
internal import HTTPServer

/// A listener that could not be started, and the key of its addresses.
struct ListenerError: Error, CustomStringConvertible {
    let key: String
    let reason: HTTPServerError

    var isAddressInUse: Bool { if case .addressInUse = reason { true } else { false } }

    var description: String {
        let variable = "KLING_GATEWAY_" + key.uppercased().replacing(".", with: "_")
        return "\(key): \(reason)" + (isAddressInUse ? "; set another port there, or with \(variable)" : "")
    }
}

extension HTTPServer {
    /// Starts listening on the addresses of the configuration's `key`.
    /// - Parameter other: is stopped if that fails: a listener must not be freed while it is open.
    func start(as key: String, orStop other: HTTPServer? = nil) async throws(ListenerError) -> [SocketAddress] {
        do throws(HTTPServerError) {
            return try await start()
        } catch {
            await other?.shutdown(grace: .zero)
            throw ListenerError(key: key, reason: error)
        }
    }
}
