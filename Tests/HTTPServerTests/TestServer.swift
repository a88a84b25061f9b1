import Base
import EventLoop
import Glibc
import HTTPServer

/// Events that one test awaits one after the other.
struct Events<Element: Sendable>: Sendable {
    private let stream: AsyncStream<Element>
    private let continuation: AsyncStream<Element>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream() }

    func yield(_ element: Element) { continuation.yield(element) }

    func next() async -> Element? {
        for await element in stream { return element }
        return nil
    }
}

/// Runs `body` with a server on loops of its own, and stops all of them afterwards.
func withServer(
    loops count: Int = 1, budget: ByteBudget = ByteBudget(capacity: 64 << 20),
    configure: (inout HTTPServerConfiguration) -> Void = { _ in },
    log: @escaping @Sendable (HTTPServerNotice) -> Void = { _ in },
    _ body: @Sendable (HTTPServer, SocketAddress, TestResponder) async throws -> Void
) async throws {
    let loops = try (0..<count).map { try EventLoop(name: "server\($0)") }
    let responder = TestResponder()
    var configuration = HTTPServerConfiguration(addresses: [.ipv4(address: 0x7f00_0001, port: 0)])
    configuration.headBytes = 16 << 10
    configuration.targetBytes = 4 << 10
    configure(&configuration)
    let server = HTTPServer(
        configuration: configuration, loops: loops, budget: budget, service: responder, log: log)
    let addresses = try await server.start()
    do { try await body(server, addresses[0], responder) } catch {
        await server.shutdown(grace: .zero)
        throw error
    }
    await server.shutdown(grace: .zero)
    for loop in loops { loop.stop() }
}

/// Runs blocking code on a thread of its own, so that it blocks no task.
func onThread<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
    await withCheckedContinuation { continuation in
        let box = ThreadWork { continuation.resume(returning: body()) }
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<ThreadWork>.fromOpaque(argument).takeRetainedValue().work() }
                return nil
            }, Unmanaged.passRetained(box).toOpaque())
        pthread_detach(thread)
    }
}

private final class ThreadWork {
    let work: () -> Void
    init(_ work: @escaping () -> Void) { self.work = work }
}

/// A blocking client on a raw socket. Reading gives up after 20 s, so that a mistake fails a test and does not hang it.
final class RawClient: @unchecked Sendable {
    // @unchecked: a test hands it to one thread at a time.
    let descriptor: Int32
    private var input: [UInt8] = []
    private var hasTimedOut = false
    private let tls: ClientTLS?
    /// Whether the output of TLS is sent byte by byte.
    private let dribbles: Bool
    /// Whether the server announced its end with `close_notify`.
    private(set) var sawCloseNotify = false

    struct Answer: Equatable, Sendable {
        var status: Int
        var head: String
        var body: String
    }

    /// - Parameter tls: the TLS session to use; `nil` for plain HTTP.
    init(_ address: SocketAddress, tls: ClientTLS? = nil, dribbles: Bool = false) {
        self.tls = tls
        self.dribbles = dribbles
        switch address {
        case .unix(let path):
            descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            var target = sockaddr_un()
            target.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &target.sun_path) { $0.copyBytes(from: path.utf8) }
            connect(to: target)
        case .ipv6(let number, let port, _):
            descriptor = socket(AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
            var target = sockaddr_in6()
            target.sin6_family = sa_family_t(AF_INET6)
            target.sin6_port = port.bigEndian
            withUnsafeMutableBytes(of: &target.sin6_addr) { $0.storeBytes(of: number.bigEndian, as: UInt128.self) }
            connect(to: target)
        case .ipv4(let number, let port):
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var target = sockaddr_in()
            target.sin_family = sa_family_t(AF_INET)
            target.sin_port = port.bigEndian
            target.sin_addr.s_addr = number.bigEndian
            connect(to: target)
        }
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
        var patience = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    private func connect<Address>(to target: Address) {
        _ = withUnsafePointer(to: target) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<Address>.size))
            }
        }
    }

    deinit { close(descriptor) }

    /// Performs the handshake; returns `nil`, or why it failed.
    func performHandshake() -> String? {
        guard let tls else { return nil }
        while true {
            let step = tls.performHandshake()
            flush()
            switch step {
            case .done: return nil
            case .wantsInput where receive(): break
            case .wantsInput: return "the server closed"
            case .ended: return "the server said goodbye"
            case .failed(let reason): return reason
            }
        }
    }

    /// Sends everything in pieces (over TLS: records) that end at `cuts`. It is not an error if the server has already
    /// closed.
    func send(_ bytes: [UInt8], cuts: [Int] = []) {
        guard let tls else { return sendRaw(bytes, cuts: cuts) }
        var start = 0
        for end in cuts + [bytes.count] where end > start {
            tls.encrypt(Array(bytes[start..<end]))
            flush()
            start = end
        }
    }

    private func flush() {
        guard let output = tls?.takeOutput() else { return }
        sendRaw(output, cuts: dribbles ? Array(output.indices) : [])
    }

    /// Sends to the socket directly.
    func sendRaw(_ bytes: [UInt8], cuts: [Int] = []) {
        var start = 0
        for end in cuts + [bytes.count] where end > start {
            var offset = start
            while offset < end {
                let count = bytes[offset..<end].withUnsafeBytes {
                    Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                if count <= 0 { return }
                offset += count
            }
            start = end
        }
    }

    func send(_ text: String) { send(Array(text.utf8)) }

    /// Sends FIN, and over TLS `close_notify` before it.
    func finish(sendsCloseNotify: Bool = true) {
        if sendsCloseNotify {
            tls?.sendCloseNotify()
            flush()
        }
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Sends RST at once.
    func reset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        // The descriptor stays in use until `deinit`, so that `deinit` closes no descriptor of something else.
        let substitute = open("/dev/null", O_RDONLY)
        dup2(substitute, descriptor)
        close(substitute)
    }

    /// Reads the next answer; `nil` at the end. `hasBody` is false for an answer to HEAD.
    func read(hasBody: Bool = true) -> Answer? {
        while true {
            if let answer = takeAnswer(hasBody: hasBody) { return answer }
            guard fill() else { return nil }
        }
    }

    /// Reads up to the first `end`, and removes what was read.
    func read(upTo end: String) -> String? {
        while true {
            if let range = input.firstRange(of: Array(end.utf8)) {
                defer { input.removeFirst(range.upperBound) }
                return String(decoding: input[..<range.upperBound], as: UTF8.self)
            }
            guard fill() else { return nil }
        }
    }

    /// Whether the server closes without sending anything more.
    func isAtEnd() -> Bool { input.isEmpty && !fill() && !hasTimedOut }

    private func fill() -> Bool {
        guard let tls else { return receive() }
        while true {
            switch tls.decrypt() {
            case .done(let bytes):
                input += bytes
                return true
            case .wantsInput where receive(): break
            case .ended:
                sawCloseNotify = true
                return false
            case .wantsInput, .failed: return false
            }
        }
    }

    /// Receives bytes; false at the end of the connection.
    private func receive() -> Bool {
        var space = [UInt8](repeating: 0, count: 65536)
        let count = recv(descriptor, &space, space.count, 0)
        hasTimedOut = count < 0 && errno == EAGAIN
        if count <= 0 { return false }
        if let tls { tls.received(Array(space[..<count])) } else { input += space[..<count] }
        return true
    }

    private func takeAnswer(hasBody: Bool) -> Answer? {
        let end = Array("\r\n\r\n".utf8)
        guard let headEnd = input.indices.first(where: { input[$0...].starts(with: end) }) else { return nil }
        let head = String(decoding: input[..<headEnd], as: UTF8.self)
        let status = Int(head.dropFirst(9).prefix(3)) ?? 0
        let marker = "\r\nContent-Length: "
        let length = head.range(after: marker).flatMap { Int($0.prefix { $0.isNumber }) } ?? 0
        let count = hasBody && status != 100 ? length : 0
        guard input.count >= headEnd + 4 + count else { return nil }
        let body = String(decoding: input[(headEnd + 4)..<(headEnd + 4 + count)], as: UTF8.self)
        input.removeFirst(headEnd + 4 + count)
        return Answer(status: status, head: head, body: body)
    }
}

extension String {
    /// The text after the first occurrence of `marker`.
    func range(after marker: String) -> Substring? {
        var rest = self[...]
        while !rest.isEmpty {
            if rest.hasPrefix(marker) { return rest.dropFirst(marker.count) }
            rest = rest.dropFirst()
        }
        return nil
    }
}

/// Closes a listening socket as a crash does: its file stays behind.
func closeKeepingFile(_ descriptor: Int32) { close(descriptor) }
