import Base
import EventLoop
import Glibc
import HTTPClient
import Testing

/// A gate that a server's thread waits at until the test opens it.
final class Gate: Sendable {
    private let ends: (read: Int32, write: Int32)

    init() {
        var pair: [Int32] = [0, 0]
        pipe(&pair)
        ends = (pair[0], pair[1])
    }

    deinit {
        close(ends.read)
        close(ends.write)
    }

    func open() { _ = write(ends.write, "x", 1) }

    func pass() {
        var byte: UInt8 = 0
        _ = read(ends.read, &byte, 1)
    }
}

struct ConnectionReuseTests {
    /// Waits until all connections are closed, without a time limit.
    private func noneLeft(_ client: HTTPClient, _ loop: EventLoop) async throws {
        while await client.statistics().openConnections > 0 { try await loop.sleep(for: .zero) }
    }

    @Test func `an idle connection that the peer closes is closed at once`() async throws {
        let gate = Gate()
        let server = TestServer { connection in
            _ = connection.readRequest()
            connection.answer()
            gate.pass()
        }
        try await withClient { client, loop in
            _ = try await client.execute(.get(server.url))
            #expect(await client.statistics().openConnections == 1)
            gate.open()
            try await noneLeft(client, loop)
        }
    }

    @Test func `an idle connection on which something arrives is closed`() async throws {
        let gate = Gate()
        let server = TestServer { connection in
            _ = connection.readRequest()
            connection.answer()
            gate.pass()
            connection.write("HTTP/1.1 408 Timeout\r\nContent-Length: 0\r\n\r\n")
            connection.readToEnd()
        }
        try await withClient { client, loop in
            _ = try await client.execute(.get(server.url))
            gate.open()
            try await noneLeft(client, loop)
            let answer = try await client.execute(.post(server.url))
            #expect(answer.status == 200 && !answer.isReusedConnection)
        }
    }

    @Test func `an idle connection is closed after the idle timeout`() async throws {
        let server = TestServer.keepAlive { connection, _, _ in connection.answer() }
        var configuration = HTTPClientConfiguration()
        configuration.idleTimeout = .milliseconds(20)
        try await withClient(configuration) { client, loop in
            _ = try await client.execute(.get(server.url))
            try await noneLeft(client, loop)
        }
    }

    @Test func `calls that wait for a connection get it in order`() async throws {
        let bodies = Lock<[String]>([])
        let (arrivals, arrived) = AsyncStream.makeStream(of: Void.self)
        let gate = Gate()
        let server = TestServer.keepAlive { connection, _, body in
            bodies.withLock { $0.append(String(decoding: body, as: UTF8.self)) }
            arrived.yield()
            gate.pass()
            connection.answer()
        }
        var configuration = HTTPClientConfiguration()
        configuration.maximumConnectionsPerHost = 1
        try await withClient(configuration) { client, loop in
            let tasks = (0..<5).map { number in
                loop.spawn { try? await client.execute(.post(server.url, "\(number)")).status }
            }
            var iterator = arrivals.makeAsyncIterator()
            await iterator.next()
            #expect(await client.statistics().activeTransfers == 5)
            for _ in 0..<5 { gate.open() }
            for task in tasks { #expect(await task.value == 200) }
            #expect(bodies.withLock { $0 } == ["0", "1", "2", "3", "4"])
        }
        #expect(server.connections == 1)
    }

    @Test func `a call that waits can be cancelled or time out, and has sent nothing`() async throws {
        let (arrivals, arrived) = AsyncStream.makeStream(of: Void.self)
        let gate = Gate()
        let server = TestServer.keepAlive { connection, _, _ in
            arrived.yield()
            gate.pass()
            connection.answer()
        }
        var configuration = HTTPClientConfiguration()
        configuration.maximumConnectionsPerHost = 1
        try await withClient(configuration) { client, loop in
            let first = loop.spawn { try? await client.execute(.post(server.url)).status }
            var iterator = arrivals.makeAsyncIterator()
            await iterator.next()
            let cancelled = loop.spawn { await client.failure(.post(server.url)) }
            let late = loop.spawn { await client.failure(.post(server.url) { $0.timeout = .milliseconds(20) }) }
            #expect(await late.value?.code == .timeout)
            cancelled.cancel()
            #expect(await cancelled.value == HTTPClientError(.cancelled, wasSent: false))
            #expect(await late.value?.wasSent == false)
            gate.open()
            #expect(await first.value == 200)
            gate.open()
            let last = try await client.execute(.post(server.url))
            #expect(last.isReusedConnection)
        }
        #expect(server.connections == 1)
    }

    @Test func `an idle connection makes room for another host, and a busy one as soon as it is free`() async throws {
        let gate = Gate()
        let (arrivals, arrived) = AsyncStream.makeStream(of: Void.self)
        let one = TestServer.keepAlive { connection, _, _ in connection.answer() }
        let two = TestServer.keepAlive { connection, _, _ in
            arrived.yield()
            gate.pass()
            connection.answer()
        }
        var configuration = HTTPClientConfiguration()
        configuration.limit(to: 1)
        try await withClient(configuration) { client, loop in
            _ = try await client.execute(.get(one.url))
            let busy = loop.spawn { try? await client.execute(.get(two.url)).status }
            var iterator = arrivals.makeAsyncIterator()
            await iterator.next()
            #expect(await client.statistics().openConnections == 1)
            let waiting = loop.spawn { try? await client.execute(.get(one.url)).isReusedConnection }
            gate.open()
            #expect(await busy.value == 200)
            #expect(await waiting.value == false)
        }
    }

    @Test func `HTTP 1.0 keeps a connection only if it says so`() async throws {
        let server = TestServer { connection in
            while connection.readRequest() != nil {
                let field = connection.number == 0 ? "Connection: keep-alive\r\n" : ""
                connection.write("HTTP/1.0 200 OK\r\n\(field)Content-Length: 2\r\n\r\nok")
                if connection.number == 0 { continue }
                connection.readToEnd()
            }
        }
        try await withClient { client, _ in
            for isReused in [false, true] {
                let answer = try await client.execute(.get(server.url))
                #expect(answer.isReusedConnection == isReused)
            }
        }
        #expect(server.connections == 1)
    }

    @Test func `a GET is sent again when a reused connection ends without an answer`() async throws {
        let server = TestServer { connection in
            _ = connection.readRequest()
            connection.answer("\(connection.number)")
            // The next request is read before the connection ends.
            if connection.number == 0 { _ = connection.readRequest() } else { connection.readToEnd() }
        }
        try await withClient { client, _ in
            _ = try await client.execute(.get(server.url))
            let answer = try await client.execute(.get(server.url))
            #expect(String(decoding: answer.body, as: UTF8.self) == "1")
            #expect(!answer.isReusedConnection)
        }
    }
}

struct SlowServerTests {
    @Test func `a body of 27 MB arrives unchanged through small buffers`() async throws {
        let count = 27_000_000
        let sum = Lock<UInt64>(0)
        let server = TestServer(receiveBuffer: 4096) { connection in
            guard connection.readHead() != nil else { return }
            var (left, total) = (count, UInt64(0))
            while left > 0, let part = connection.readBody(min(left, 50_000)) {
                left -= part.count
                total = part.reduce(total) { $0 &* 31 &+ UInt64($1) }
            }
            sum.withLock { [total] in $0 = total }
            connection.answer()
            connection.readToEnd()
        }
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 7) }
        let block = Bytes(bytes)
        // More slices than one system call takes.
        let slices = stride(from: 0, to: count, by: 500_000).map {
            ByteSlice(block, $0..<min($0 + 500_000, count))
        }
        try await withClient { client, _ in
            let answer = try await client.execute(.post(server.url) { $0.body = slices })
            #expect(answer.status == 200)
            #expect(await client.statistics().sentBodyBytes == count)
        }
        #expect(sum.withLock { $0 } == bytes.reduce(0) { $0 &* 31 &+ UInt64($1) })
    }

    @Test func `an answer that comes byte by byte is read`() async throws {
        let server = TestServer { connection in
            var one: Int32 = 1
            setsockopt(
                connection.descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
            while connection.readRequest() != nil {
                let text =
                    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + "3\r\nabc\r\n4;x\r\ndefg\r\n0\r\nT: u\r\n\r\n"
                for byte in text.utf8 { connection.write([byte]) }
            }
        }
        try await withClient { client, _ in
            for round in 0..<3 {
                let answer = try await client.execute(.post(server.url))
                #expect(String(decoding: answer.body, as: UTF8.self) == "abcdefg")
                #expect(answer.isReusedConnection == (round > 0))
            }
        }
    }

    @Test func `an answer that refuses a body is read although the connection is reset after it`() async throws {
        let server = TestServer { connection in
            _ = connection.readHead()
            connection.write("HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\n\r\nlong")
            // What is still unread makes the close a reset.
        }
        let body = ByteSlice(Bytes([UInt8](repeating: 7, count: 8_000_000)), 0..<8_000_000)
        try await withClient { client, _ in
            let answer = try await client.execute(.post(server.url) { $0.body = [body] })
            #expect(answer.status == 413)
            #expect(String(decoding: answer.body, as: UTF8.self) == "long")
        }
    }

    @Test func `the rest of a body is sent although the answer came early`() async throws {
        let count = 8_000_000
        let server = TestServer { connection in
            while connection.readHead() != nil {
                connection.answer("early")
                _ = connection.readBody(count)
            }
        }
        let body = ByteSlice(Bytes([UInt8](repeating: 7, count: count)), 0..<count)
        try await withClient { client, _ in
            for round in 1...3 {
                let answer = try await client.execute(.post(server.url) { $0.body = [body] })
                #expect(String(decoding: answer.body, as: UTF8.self) == "early")
                #expect(await client.statistics().sentBodyBytes == round * count)
            }
        }
        #expect(server.connections == 1)
    }

    @Test func `an early answer is delivered although the body cannot be sent in time`() async throws {
        let gate = Gate()
        let server = TestServer(receiveBuffer: 4096) { connection in
            _ = connection.readHead()
            connection.answer("early")
            gate.pass()
        }
        let body = ByteSlice(Bytes([UInt8](repeating: 7, count: 8_000_000)), 0..<8_000_000)
        try await withClient { client, _ in
            let answer = try await client.execute(
                .post(server.url) {
                    $0.body = [body]
                    $0.timeout = .seconds(1)
                })
            #expect(String(decoding: answer.body, as: UTF8.self) == "early")
        }
        gate.open()
    }

    @Test func `an answer of some megabytes is read whole`() async throws {
        let bytes = (0..<5_000_003).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 7) }
        let server = TestServer.keepAlive { connection, _, _ in
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(bytes.count)\r\n\r\n")
            connection.write(bytes)
        }
        try await withClient { client, _ in
            for _ in 0..<2 {
                let answer = try await client.execute(.get(server.url) { $0.maximumAnswer = bytes.count })
                #expect(answer.body == bytes)
            }
        }
        #expect(server.connections == 1)
    }
}
