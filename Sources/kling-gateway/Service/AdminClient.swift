internal import Base
internal import EventLoop
internal import Foundation
internal import Gateway
internal import GatewayConfiguration
internal import HTTPServer
internal import KlingAPI
internal import TaskStore

/// Sends calls of the administration API to the gateway that serves from the configuration's store.
struct AdminClient {
    private let address: SocketAddress
    private let host: String
    private let token: Secret?

    /// Looks for that gateway.
    ///
    /// It is asked at the first address of `admin.listen`. What answers there is only used if it serves from the same
    /// store.
    /// - Returns: nil if no such gateway answers within a second.
    init?(_ configuration: Configuration) {
        guard let listener = configuration.admin.listen.first, let address = SocketAddress(listener.reachable),
            address.port != 0, let identity = configuration.storeIdentity
        else { return nil }
        self.address = address
        host = if case .unix = address { "localhost" } else { listener.reachable }
        token = configuration.admin.token
        var answer: [UInt8] = []
        let status = try? send(AdminCall(.get, "/admin/v1/instance", by: .command)) { answer += $1 }
        guard status == 200, JSONObject(answer)?.string("store") == identity else { return nil }
    }

    /// Sends a call.
    /// - Parameter take: called with the status of the answer and each part of its body.
    /// - Returns: the status.
    func send(_ call: AdminCall, _ take: (Int, [UInt8]) throws -> Void) throws -> Int {
        let target = call.path + (call.query.map { "?\($0)" } ?? "")
        var head = "\(call.method.rawValue) \(target) HTTP/1.1\r\nHost: \(host)\r\n"
        head += "\(AdminActor.field): \(NSUserName())\r\nUser-Agent: kling-gateway/\(Version.number)\r\n"
        if let token { head += "Authorization: Bearer \(token.reveal())\r\n" }
        if call.body.count > 0 { head += "Content-Type: application/json\r\n" }
        // Copied within the closure that lends the bytes.
        let body = unsafe call.body.withUnsafeBytes { unsafe Array($0) }
        var exchange = try AdminExchange.begin(to: address, head: head, body: body)
        let status = exchange.status
        try exchange.body { try take(status, $0) }
        return status
    }
}

extension AdminActor {
    /// The user who runs this command.
    static var command: AdminActor { AdminActor(who: "command:\(NSUserName())", from: "local") }
}

extension ListenAddress {
    /// The address under which a listener is reached from this machine.
    var reachable: String {
        switch self {
        case .tcp("0.0.0.0", let port): "127.0.0.1:\(port)"
        case .tcp("::", let port): "[::1]:\(port)"
        case .tcp, .unix: description
        }
    }
}
