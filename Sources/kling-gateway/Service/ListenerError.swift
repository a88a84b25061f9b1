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
    func start(as key: String) async throws(ListenerError) -> [SocketAddress] {
        do throws(HTTPServerError) {
            return try await start()
        } catch {
            throw ListenerError(key: key, reason: error)
        }
    }
}
