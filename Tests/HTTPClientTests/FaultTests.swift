import Base
import Dispatch
import EventLoop
import Glibc
import HTTPClient
import Testing

struct FaultTests {
    /// What a bad server does after it has read the request, and the error that must follow.
    struct Fault: Sendable, CustomTestStringConvertible {
        var name: String
        var code: HTTPClientError.Code
        /// What libcurl makes of it, if that is something else.
        var libcurlCode: HTTPClientError.Code?
        var act: @Sendable (TestServer.Connection) -> Void
        var testDescription: String { name }

        init(
            _ name: String, _ code: HTTPClientError.Code, libcurl: HTTPClientError.Code? = nil,
            _ act: @escaping @Sendable (TestServer.Connection) -> Void
        ) {
            (self.name, self.code, self.libcurlCode, self.act) = (name, code, libcurl, act)
        }
    }

    static let faults = [
        Fault("a reset before the answer", .sendInterrupted) { $0.reset() },
        Fault("a close before the answer", .sendInterrupted) { _ in },
        Fault("a close in the status line", .sendInterrupted) { $0.write("HTTP/1.1 20") },
        Fault("a close in the head", .closed) { $0.write("HTTP/1.1 200 OK\r\nContent-Le") },
        Fault("a close after the head", .closed) { $0.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n") },
        Fault("a length that is too long", .closed) { $0.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345") },
        Fault("a chunk without an end", .closed) {
            $0.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n123")
        },
        Fault("a last chunk that is missing", .closed) {
            $0.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n")
        },
        Fault("an invalid chunk size", .malformed, libcurl: .closed) {
            $0.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
            $0.readToEnd()
        },
        Fault("a garbage status line", .malformed) {
            $0.write("SSH-2.0-OpenSSH\r\n\r\n"); $0.readToEnd()
        },
        Fault("a status that is not a number", .malformed) {
            $0.write("HTTP/1.1 abc OK\r\n\r\n"); $0.readToEnd()
        },
        Fault("a length that is not a number", .malformed) {
            $0.write("HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n")
            $0.readToEnd()
        },
        Fault("a flood of interim answers", .tooLarge) {
            while $0.write("HTTP/1.1 103 Early Hints\r\n\r\n") {}
        },
        Fault("a flood of fields", .tooLarge) {
            $0.write("HTTP/1.1 200 OK\r\n")
            while $0.write("X-Field: value\r\n") {}
        },
        Fault("a field without an end", .tooLarge) {
            $0.write("HTTP/1.1 200 OK\r\nX-Field: ")
            while $0.write([UInt8](repeating: 97, count: 10_000)) {}
        },
        Fault("a body over the limit, with its length", .tooLarge) {
            $0.write("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
            while $0.write([UInt8](repeating: 97, count: 10_000)) {}
        },
        Fault("a body over the limit, without its length", .tooLarge) {
            $0.write("HTTP/1.1 200 OK\r\n\r\n")
            while $0.write([UInt8](repeating: 97, count: 10_000)) {}
        },
        Fault("no answer", .timeout) { $0.readToEnd() },
        Fault("an answer that stops", .timeout) {
            $0.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123")
            $0.readToEnd()
        },
    ]

    @Test(arguments: faults, Path.allCases)
    func `a fault after sending has its code and counts as sent`(fault: Fault, path: Path) async throws {
        let code = path == .libcurl ? fault.libcurlCode ?? fault.code : fault.code
        let server = TestServer { connection in
            _ = connection.readRequest()
            fault.act(connection)
        }
        try await withClient { client, _ in
            for _ in 0..<2 {
                let error = await client.failure(
                    .post(server.url) {
                        $0.version = path.version
                        $0.maximumAnswer = 100_000
                        $0.timeout = fault.code == .timeout ? .seconds(2) : .seconds(30)
                    })
                #expect(error?.code == code, "\(String(describing: error))")
                #expect(error?.wasSent == true)
            }
            #expect(await client.statistics().failedTransfers == 2)
        }
        #expect(server.connections == 2, "a connection with a fault was used again")
    }

    @Test(arguments: Path.allCases)
    func `a Content-Length that is too short costs the connection`(path: Path) async throws {
        let server = TestServer { connection in
            while connection.readRequest() != nil {
                connection.write(
                    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
            }
        }
        try await withClient { client, _ in
            for _ in 0..<3 {
                let answer = try await client.execute(.get(server.url) { $0.version = path.version })
                #expect(String(decoding: answer.body, as: UTF8.self) == "ok")
            }
        }
        #expect(server.connections == 3)
    }

    @Test func `content codings are passed on unchanged`() async throws {
        let coded: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b, 0x4c, 4, 0, 0x43, 0xbe, 0xb7, 0xe8, 1, 0, 0, 0]
        let server = TestServer { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(coded.count)\r\n\r\n")
            connection.write(coded)
            connection.readToEnd()
        }
        try await withClient { client, _ in
            let answer = try await client.execute(.get(server.url))
            #expect(answer.body == coded)
        }
    }

    @Test(arguments: ["some body", ""], Path.allCases)
    func `a POST is never resent when a reused connection dies after it`(body: String, path: Path) async throws {
        let posts = Lock(0)
        let server = TestServer { connection in
            while let request = connection.readRequest() {
                if request.head.hasPrefix("GET") {
                    connection.answer()
                    continue
                }
                posts.withLock { $0 += 1 }
                connection.reset()
                break
            }
        }
        try await withClient { client, _ in
            _ = try await client.execute(.get(server.url) { $0.version = path.version })
            let error = await client.failure(.post(server.url, body) { $0.version = path.version })
            #expect(error?.code == .sendInterrupted, "\(String(describing: error))")
            #expect(error?.wasSent == true)
            _ = try await client.execute(.get(server.url) { $0.version = path.version })
        }
        #expect(posts.withLock { $0 } == 1)
    }

    @Test(arguments: Path.allCases)
    func `a large POST is not resent when a reused connection dies in the middle of it`(path: Path) async throws {
        let posts = Lock(0)
        let server = TestServer { connection in
            _ = connection.readRequest()
            connection.answer()
            guard connection.readHead() != nil else { return }
            posts.withLock { $0 += 1 }
            _ = connection.readBody(100_000)
            connection.reset()
        }
        let body = ByteSlice(Bytes([UInt8](repeating: 7, count: 8_000_000)), 0..<8_000_000)
        try await withClient { client, _ in
            _ = try await client.execute(.get(server.url) { $0.version = path.version })
            let error = await client.failure(
                .post(server.url) {
                    $0.version = path.version
                    $0.body = [body]
                })
            #expect(error?.code == .sendInterrupted, "\(String(describing: error))")
            #expect(error?.wasSent == true)
        }
        #expect(posts.withLock { $0 } == 1)
    }

    @Test(arguments: Path.allCases)
    func `an answer that arrives before the body is sent is accepted`(path: Path) async throws {
        let server = TestServer { connection in
            _ = connection.readHead()
            connection.write("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            shutdown(connection.descriptor, Int32(SHUT_WR))
            connection.readToEnd()
        }
        let body = ByteSlice(Bytes([UInt8](repeating: 7, count: 8_000_000)), 0..<8_000_000)
        try await withClient { client, _ in
            let answer = try await client.execute(
                .post(server.url) {
                    $0.version = path.version
                    $0.body = [body]
                })
            #expect(answer.status == 413)
        }
    }

    @Test(arguments: Path.allCases)
    func `a refused connection and an unknown name count as not sent`(path: Path) async throws {
        let port = TestServer { _ in }.port
        try await withClient { client, _ in
            let refused = await client.failure(
                .post("http://127.0.0.1:\(port == 1 ? 2 : 1)/") { $0.version = path.version })
            #expect(refused?.code == .connect)
            #expect(refused?.wasSent == false)
            let nameless = await client.failure(.post("http://name.invalid/") { $0.version = path.version })
            #expect(nameless?.code == .nameLookup)
            #expect(nameless?.wasSent == false)
        }
    }

    @Test(arguments: Path.allCases)
    func `a stalled transfer is abandoned`(path: Path) async throws {
        let server = TestServer { connection in
            _ = connection.readRequest()
            connection.readToEnd()
        }
        try await withClient { client, _ in
            let error = await client.failure(
                .get(server.url) {
                    $0.version = path.version
                    $0.stall = .init(bytesPerSecond: 10, duration: .seconds(1))
                })
            #expect(error?.code == .timeout)
        }
    }
}

struct EndTests {
    @Test(arguments: Path.allCases)
    func `a cancelled task gets its error at once, and the connection is closed`(path: Path) async throws {
        let (stream, arrivals) = AsyncStream.makeStream(of: String.self)
        let server = TestServer { connection in
            _ = connection.readRequest()
            arrivals.yield("request")
            connection.readToEnd()
            arrivals.yield("end")
        }
        try await withClient { client, loop in
            let task = loop.spawn {
                await client.failure(
                    .post(server.url) {
                        $0.version = path.version
                        $0.timeout = .seconds(600)
                    })
            }
            var iterator = stream.makeAsyncIterator()
            #expect(await iterator.next() == "request")
            task.cancel()
            let error = await task.value
            #expect(error?.code == .cancelled)
            #expect(error?.wasSent == true)
            #expect(await iterator.next() == "end")
            #expect(await client.statistics().activeTransfers == 0)
        }
    }

    @Test func `a request that is not cancellable is answered in a cancelled task`() async throws {
        let (requests, request) = AsyncStream.makeStream(of: Void.self)
        let mayAnswer = DispatchSemaphore(value: 0)
        let server = TestServer { connection in
            _ = connection.readRequest()
            request.yield()
            mayAnswer.wait()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        }
        try await withClient { client, loop in
            let task = loop.spawn {
                try? await client.execute(.post(server.url) { $0.isCancellable = false }).status
            }
            for await _ in requests { break }
            task.cancel()
            mayAnswer.signal()
            #expect(await task.value == 200)
        }
    }

    @Test func `a task cancelled before its connection is established has sent nothing`() async throws {
        let (stream, arrivals) = AsyncStream.makeStream(of: Bool.self)
        let server = TestServer { connection in
            arrivals.yield(true)
            connection.readToEnd()
        }
        try await withClient { client, loop in
            let task = loop.spawn { await client.failure(.post("https://127.0.0.1:\(server.port)/")) }
            var iterator = stream.makeAsyncIterator()
            _ = await iterator.next()
            task.cancel()
            #expect(await task.value == HTTPClientError(.cancelled, wasSent: false))
        }
    }

    @Test func `a task cancelled beforehand sends nothing`() async throws {
        let server = TestServer.keepAlive { connection, _, _ in connection.answer() }
        try await withClient { client, loop in
            let task = loop.spawn { () async -> HTTPClientError? in
                withUnsafeCurrentTask { $0?.cancel() }
                return await client.failure(.get(server.url))
            }
            #expect(await task.value == HTTPClientError(.cancelled, wasSent: false))
        }
        #expect(server.connections == 0)
    }

    @Test(arguments: Path.allCases)
    func `shutdown ends requests in flight and refuses new ones`(path: Path) async throws {
        let (stream, arrivals) = AsyncStream.makeStream(of: Bool.self)
        let server = TestServer { connection in
            _ = connection.readRequest()
            arrivals.yield(true)
            connection.readToEnd()
        }
        try await withClient { client, loop in
            let request = HTTPClientRequest.get(server.url) { $0.version = path.version }
            let task = loop.spawn { await client.failure(request) }
            var iterator = stream.makeAsyncIterator()
            _ = await iterator.next()
            client.shutdown()
            #expect(await task.value == HTTPClientError(.shutDown, wasSent: true))
            #expect(await client.failure(request) == HTTPClientError(.shutDown, wasSent: false))
        }
    }
}
