import Base
import Foundation

/// A relay between clients and a server on this machine, which cuts off the first POSTs: it forwards each completely,
/// and closes both connections before any byte of the answer has reached the client. Everything else passes through.
public final class CuttingRelay: Sendable {
    /// How connections are closed.
    public enum Cut: String, Sendable, CaseIterable { case fin, reset }

    /// Whose connection is closed first. With the client first, it may resend before the server knows that it has left.
    public enum Order: String, Sendable, CaseIterable { case serverFirst, clientFirst }

    private struct State {
        var left: Int
        var posts = 0
    }

    /// The port that clients connect to.
    public let port: UInt16
    private let listener: Int32
    private let target: UInt16
    private let cut: Cut
    private let order: Order
    private let isDue: @Sendable () -> Bool
    private let state: Lock<State>

    /// - Parameters:
    ///   - target: the server's port.
    ///   - cuts: how many POSTs are cut off.
    ///   - order: with `clientFirst`, the server's connection is closed a moment later.
    ///   - isDue: whether it is time to cut; polled after a request was forwarded, for 10 s at most.
    public init(
        to target: UInt16, cuts: Int, by cut: Cut, _ order: Order = .serverFirst,
        when isDue: @escaping @Sendable () -> Bool = { true }
    ) throws {
        (self.target, self.cut, self.order, self.isDue) = (target, cut, order, isDue)
        state = Lock(State(left: cuts))
        (listener, port) = try Socket.listening()
        Thread.detachNewThread { [self] in
            while let client = Socket(accept(listener, nil, nil)) {
                Thread.detachNewThread { self.serve(client) }
            }
        }
    }

    /// How many POSTs have arrived.
    public var posts: Int { state.withLock { $0.posts } }

    /// Accepts no more connections.
    public func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private func serve(_ client: Socket) {
        guard let server = Socket.connected(to: target) else { return client.end(.fin) }
        var (end, isOpen) = (Cut.fin, true)
        while isOpen, let request = client.readMessage(), server.send(request) {
            if isToBeCut(request) {
                let deadline = Date(timeIntervalSinceNow: 10)
                while !isDue(), Date() < deadline { usleep(2_000) }
                (end, isOpen) = (cut, false)
            } else if let answer = server.readMessage() {
                isOpen = client.send(answer)
            } else {
                isOpen = false
            }
        }
        if order == .clientFirst {
            client.end(end)
            // About the time that a proxy needs to pass the close on.
            usleep(5_000)
        }
        server.end(end)
        if order == .serverFirst { client.end(end) }
    }

    private func isToBeCut(_ request: [UInt8]) -> Bool {
        guard request.starts(with: "POST ".utf8) else { return false }
        return state.withLock { state in
            state.posts += 1
            state.left -= 1
            return state.left >= 0
        }
    }
}

/// A connection of the relay, used by one thread.
private final class Socket: Sendable {
    private let descriptor: Int32
    private let pending = Lock([UInt8]())

    init?(_ descriptor: Int32) {
        guard descriptor >= 0 else { return nil }
        self.descriptor = descriptor
    }

    private static func made() -> Int32 {
        socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    }

    private static func withLoopback<Result>(
        _ port: UInt16, _ body: (UnsafeMutablePointer<sockaddr>, inout socklen_t) -> Result
    ) -> Result {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, &size) }
        }
    }

    static func listening() throws -> (Int32, UInt16) {
        let descriptor = made()
        let isBound = withLoopback(0) { bind(descriptor, $0, $1) == 0 && listen(descriptor, 64) == 0 }
        guard isBound else { throw TestKitError("the relay cannot listen: errno \(errno)") }
        let port = withLoopback(0) { pointer, size in
            getsockname(descriptor, pointer, &size)
            return pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                UInt16(bigEndian: $0.pointee.sin_port)
            }
        }
        return (descriptor, port)
    }

    static func connected(to port: UInt16) -> Socket? {
        let descriptor = made()
        guard withLoopback(port, { connect(descriptor, $0, $1) }) == 0 else {
            close(descriptor)
            return nil
        }
        return Socket(descriptor)
    }

    func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// Reads one complete request or answer, with a `Content-Length` or in chunks; nil at the end of the connection.
    func readMessage() -> [UInt8]? {
        while true {
            let bytes = pending.withLock { $0 }
            if let length = Self.length(of: bytes) {
                pending.withLock { $0.removeFirst(length) }
                return Array(bytes[..<length])
            }
            var buffer = [UInt8](repeating: 0, count: 64 << 10)
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            pending.withLock { $0 += buffer[..<count] }
        }
    }

    /// The length of the message at the beginning of `bytes`, if it is complete.
    private static func length(of bytes: [UInt8]) -> Int? {
        let data = Data(bytes)
        guard let end = data.range(of: Data("\r\n\r\n".utf8))?.upperBound else { return nil }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).lowercased().components(separatedBy: "\r\n")
        if lines.contains("transfer-encoding: chunked") {
            return data.range(of: Data("\r\n0\r\n\r\n".utf8), in: end - 2..<data.count)?.upperBound
        }
        let length = lines.first { $0.hasPrefix("content-length:") }?.split(separator: " ").last.flatMap { Int($0) }
        let whole = end + (length ?? 0)
        return bytes.count >= whole ? whole : nil
    }

    func end(_ cut: CuttingRelay.Cut) {
        if cut == .reset {
            var option = linger(l_onoff: 1, l_linger: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        }
        close(descriptor)
    }
}
