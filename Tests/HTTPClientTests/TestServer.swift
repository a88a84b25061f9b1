import Base
import EventLoop
import Glibc
import HTTPClient
import Testing

/// A listener on 127.0.0.1 that gives each connection a thread and a script. It knows only the HTTP that scripts need.
final class TestServer: Sendable {
    /// One accepted connection, with blocking reads and writes.
    final class Connection {
        let descriptor: Int32
        /// Counts from 0.
        let number: Int
        private var pending: [UInt8] = []

        init(_ descriptor: Int32, number: Int) { (self.descriptor, self.number) = (descriptor, number) }

        /// Reads a head, without its body; `nil` at the end.
        func readHead() -> String? {
            while true {
                if let end = pending.firstRange(of: Array("\r\n\r\n".utf8)) {
                    defer { pending.removeSubrange(..<end.upperBound) }
                    return String(decoding: pending[..<end.upperBound], as: UTF8.self)
                }
                guard receive() else { return nil }
            }
        }

        func readBody(_ count: Int) -> [UInt8]? {
            while pending.count < count { guard receive() else { return nil } }
            defer { pending.removeFirst(count) }
            return Array(pending[..<count])
        }

        /// Reads a request with `Content-Length`.
        func readRequest() -> (head: String, body: [UInt8])? {
            guard let head = readHead() else { return nil }
            let length = head.lowercased().split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
            let count = length.flatMap { Int($0.dropFirst(15).drop { $0 == " " }) } ?? 0
            return readBody(count).map { (head, $0) }
        }

        /// Waits until the peer has closed.
        func readToEnd() { while receive() { pending.removeAll() } }

        private func receive() -> Bool {
            var space = [UInt8](repeating: 0, count: 64 << 10)
            let count = recv(descriptor, &space, space.count, 0)
            if count > 0 { pending.append(contentsOf: space[..<count]) }
            return count > 0
        }

        /// Writes everything; `false` if the peer has closed.
        @discardableResult func write(_ bytes: [UInt8]) -> Bool {
            var sent = 0
            while sent < bytes.count {
                let count = bytes[sent...].withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, noSignal) }
                if count <= 0 { return false }
                sent += count
            }
            return true
        }
        @discardableResult func write(_ text: String) -> Bool { write(Array(text.utf8)) }

        /// Answers 200 with `text`.
        func answer(_ text: String = "ok") {
            write("HTTP/1.1 200 OK\r\nContent-Length: \(text.utf8.count)\r\n\r\n\(text)")
        }

        /// Makes the next close an RST.
        func reset() {
            var linger = linger(l_onoff: 1, l_linger: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
        }
    }

    let port: UInt16
    private let listener: Int32
    private let script: @Sendable (Connection) -> Void
    private let accepted = Lock(0)

    var url: String { "http://127.0.0.1:\(port)/" }
    var connections: Int { accepted.withLock { $0 } }

    /// - Parameter receiveBuffer: about how many bytes the system buffers for a connection; nil for its default.
    init(receiveBuffer: Int32? = nil, _ script: @escaping @Sendable (Connection) -> Void) {
        self.script = script
        let listener = socket(AF_INET, streamType, 0)
        self.listener = listener
        if var receiveBuffer {
            setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, socklen_t(MemoryLayout<Int32>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout.size(ofValue: address))
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                precondition(bind(listener, $0, length) == 0 && listen(listener, 64) == 0)
                getsockname(listener, $0, &length)
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        let accepted = accepted
        runThread {
            while true {
                let descriptor = accept(listener, nil, nil)
                if descriptor < 0 { break }
                let number = accepted.withLock { count in
                    defer { count += 1 }
                    return count
                }
                runThread {
                    script(Connection(descriptor, number: number))
                    close(descriptor)
                }
            }
            close(listener)
        }
    }

    deinit { shutdown(listener, Int32(SHUT_RDWR)) }

    /// Serves each request of a connection with `answer`.
    static func keepAlive(_ answer: @escaping @Sendable (Connection, String, [UInt8]) -> Void) -> TestServer {
        TestServer { connection in
            while let request = connection.readRequest() { answer(connection, request.head, request.body) }
        }
    }
}

private let streamType = Int32(SOCK_STREAM.rawValue)
private let noSignal = Int32(MSG_NOSIGNAL)

private final class Block {
    let body: () -> Void
    init(_ body: @escaping () -> Void) { self.body = body }
}

private func runThread(_ body: @escaping @Sendable () -> Void) {
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(Block(body)).toOpaque()
    let code = pthread_create(
        &thread, nil,
        {
            Unmanaged<Block>.fromOpaque($0.unsafelyUnwrapped).takeRetainedValue().body()
            return nil
        }, argument)
    precondition(code == 0)
    pthread_detach(thread)
}

/// Every test runs with proxies in its environment that lead nowhere and must not be used.
private let hostileEnvironment: Void = {
    for name in ["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        setenv(name, "http://127.0.0.1:1", 1)
    }
    unsetenv("no_proxy")
    unsetenv("NO_PROXY")
}()

/// Runs `body` with a client on a loop of its own, and ends both afterwards.
func withClient<Result: Sendable>(
    _ configuration: HTTPClientConfiguration = .init(),
    _ body: @escaping @Sendable (HTTPClient, EventLoop) async throws -> Result
) async throws -> Result {
    hostileEnvironment
    let loop = try EventLoop(name: "client")
    let client = try HTTPClient(loop: loop, configuration: configuration)
    let result = await loop.spawn { () async -> Swift.Result<Result, any Error> in
        do { return .success(try await body(client, loop)) } catch { return .failure(error) }
    }.value
    client.shutdown()
    loop.stop()
    return try result.get()
}

extension HTTPClient {
    /// The error of a request that must fail.
    func failure(_ request: HTTPClientRequest) async -> HTTPClientError? {
        do {
            let answer = try await execute(request)
            Issue.record("an answer came: \(answer.status)")
            return nil
        } catch { return error }
    }
}

/// The ways that a request can take to a plain HTTP/1.1 server.
enum Path: Sendable, CaseIterable {
    case own, libcurl

    /// Libcurl gets what may become HTTP/2, which it never does without TLS.
    var version: HTTPClientRequest.Version { self == .own ? .http1 : .http2WhereOffered }
}

extension HTTPClientRequest {
    static func get(_ url: String, _ change: (inout HTTPClientRequest) -> Void = { _ in }) -> HTTPClientRequest {
        var request = HTTPClientRequest(.get, url)
        change(&request)
        return request
    }

    static func post(
        _ url: String, _ body: String = "body", _ change: (inout HTTPClientRequest) -> Void = { _ in }
    ) -> HTTPClientRequest {
        var request = HTTPClientRequest(.post, url)
        request.body = [ByteSlice(copying: body)]
        change(&request)
        return request
    }
}
