import Base
import EventLoop
import HTTPClient
import Testing

struct ExchangeTests {
    @Test(arguments: Path.allCases)
    func `a connection is reused for GET and POST in turn`(path: Path) async throws {
        let server = TestServer.keepAlive { connection, head, body in
            connection.answer("\(head.prefix(4))\(String(decoding: body, as: UTF8.self))")
        }
        try await withClient { client, _ in
            for round in 0..<10 {
                let got = try await client.execute(.get(server.url) { $0.version = path.version })
                #expect(String(decoding: got.body, as: UTF8.self) == "GET ")
                #expect(got.isReusedConnection == (round > 0))
                #expect(got.peer == IPAddress("127.0.0.1"))
                let posted = try await client.execute(
                    .post(server.url, "text \(round)") { $0.version = path.version })
                #expect(String(decoding: posted.body, as: UTF8.self) == "POSTtext \(round)")
            }
            let figures = await client.statistics()
            #expect(figures.openConnections == 1)
            #expect(figures.succeededTransfers == 20)
            #expect(figures.activeTransfers == 0)
        }
        #expect(server.connections == 1)
    }

    @Test(arguments: Path.allCases)
    func `concurrent requests each get their own answer`(path: Path) async throws {
        let server = TestServer.keepAlive { connection, _, body in
            connection.answer(String(decoding: body, as: UTF8.self))
        }
        var limits = HTTPClientConfiguration()
        limits.maximumConnectionsPerHost = 4
        try await withClient(limits) { client, _ in
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<100 {
                    group.addTask {
                        let answer = try? await client.execute(
                            .post(server.url, "number \(number)") { $0.version = path.version })
                        #expect(answer.map { String(decoding: $0.body, as: UTF8.self) } == "number \(number)")
                    }
                }
            }
        }
        #expect(server.connections <= 4)
    }

    @Test(arguments: Path.allCases)
    func `a large body of several slices arrives unchanged`(path: Path) async throws {
        let received = Lock<[UInt8]>([])
        let server = TestServer.keepAlive { connection, _, body in
            received.withLock { $0 = body }
            connection.answer()
        }
        let bytes = (0..<5_000_003).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 7) }
        let block = Bytes(bytes)
        let cuts = [0, 0, 1, 2, 70_000, 70_000, 2_000_001, 4_999_999, bytes.count]
        let slices = zip(cuts, cuts.dropFirst()).map { ByteSlice(block, $0..<$1) }
        try await withClient { client, _ in
            for _ in 0..<2 {
                _ = try await client.execute(
                    .post(server.url) {
                        $0.version = path.version
                        $0.body = slices
                    })
                #expect(received.withLock { $0 } == bytes)
            }
            #expect(await client.statistics().sentBodyBytes == 2 * bytes.count)
        }
    }

    @Test(arguments: Path.allCases)
    func `header fields are sent as given, and nothing is added to them`(path: Path) async throws {
        let heads = Lock<[String]>([])
        let server = TestServer.keepAlive { connection, head, _ in
            heads.withLock { $0.append(head) }
            connection.answer()
        }
        try await withClient { client, _ in
            _ = try await client.execute(
                .post(server.url, "{}") {
                    $0.version = path.version
                    $0.headers = [("Content-Type", "application/json"), ("X-Empty", ""), ("Accept", "text/plain")]
                })
            _ = try await client.execute(.post(server.url, "") { $0.version = path.version })
            let prepared = PreparedFields([("Content-Type", "application/json"), ("X-Empty", "")])
            for last in ["text/plain", "text/html"] {
                _ = try await client.execute(
                    .post(server.url, "{}") {
                        $0.version = path.version
                        $0.prepared = prepared
                        $0.headers = [("Accept", last)]
                    })
            }
        }
        let host = "Host: 127.0.0.1:\(server.port)\r\n"
        let first =
            "POST / HTTP/1.1\r\n\(host)Content-Type: application/json\r\nX-Empty:\r\nAccept: text/plain\r\nContent-Length: 2\r\n\r\n"
        let second = "POST / HTTP/1.1\r\n\(host)Accept: */*\r\nContent-Length: 0\r\n\r\n"
        let other = first.split(separator: "plain").joined(separator: "html")
        #expect(heads.withLock { $0.map(sorted) } == [first, second, first, other].map(sorted))
        func sorted(_ head: String) -> [Substring] { head.split(separator: "\r\n").sorted() }
    }

    @Test(arguments: Path.allCases)
    func `header fields are found regardless of case, and trailers are dropped`(path: Path) async throws {
        let server = TestServer { connection in
            _ = connection.readRequest()
            connection.write(
                "HTTP/1.1 103 Early\r\nLink: early\r\n\r\nHTTP/1.1 201 Made\r\nX-Id:  a b \r\nx-id: second\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Trailer: no\r\n\r\n")
            connection.readToEnd()
        }
        try await withClient { client, _ in
            let answer = try await client.execute(.get(server.url) { $0.version = path.version })
            #expect(answer.status == 201)
            #expect(answer.headers["x-ID"] == "a b")
            #expect(answer.headers.map(\.value) == ["a b", "second", "chunked"])
            #expect(answer.headers["link"] == nil && answer.headers["x-trailer"] == nil)
            #expect(answer.body == Array("hi".utf8))
        }
    }

    @Test(arguments: [
        ("X-A", "b\r\nEvil: 1"), ("X-A", "b\nEvil: 1"), ("X-A", "b\0"), ("X\r\nEvil", "1"), ("", "1"), ("X A", "1"),
        ("X:", "1"),
    ])
    func `a header field that could break out of its line is refused`(name: String, value: String) async throws {
        let server = TestServer.keepAlive { connection, _, _ in connection.answer() }
        try await withClient { client, _ in
            for isPrepared in [false, true] {
                let error = await client.failure(
                    .get(server.url) {
                        if isPrepared {
                            $0.prepared = PreparedFields([("X-B", "1"), (name, value)])
                        } else {
                            $0.headers = [(name, value)]
                        }
                    })
                #expect(error?.code == .invalidRequest)
                #expect(error?.wasSent == false)
            }
            _ = try await client.execute(.get(server.url))
        }
    }

    @Test(arguments: [
        "", "/x", "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "http://", "http://a b/",
        "http://127.0.0.1/\r\nEvil: 1", "http://127.0.0.1/ HTTP/1.1", "http://127.0.0.1/é", "dict://127.0.0.1:1/",
    ])
    func `a URL that is not plain HTTP is refused`(url: String) async throws {
        try await withClient { client, _ in
            let error = await client.failure(.get(url))
            #expect(error?.code == .invalidRequest, "\(String(describing: error))")
            #expect(error?.wasSent == false)
        }
    }

    @Test(arguments: Path.allCases)
    func `a redirect is returned and not followed`(path: Path) async throws {
        let server = TestServer.keepAlive { connection, _, _ in
            connection.write("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
        }
        try await withClient { client, _ in
            let answer = try await client.execute(.get(server.url) { $0.version = path.version })
            #expect(answer.status == 302)
            #expect(answer.headers["location"] == "http://127.0.0.1:1/")
        }
    }

    @Test func `a proxy is used only for requests that name it`() async throws {
        let server = TestServer.keepAlive { connection, head, _ in
            connection.answer(String(head.split(separator: "\r\n")[0]))
        }
        try await withClient { client, _ in
            let answer = try await client.execute(
                .get("http://kling.invalid/x") { $0.proxy = "http://127.0.0.1:\(server.port)" })
            #expect(String(decoding: answer.body, as: UTF8.self) == "GET http://kling.invalid/x HTTP/1.1")
            let error = await client.failure(.get("http://kling.invalid/x"))
            #expect(error?.code == .nameLookup)
            #expect(error?.wasSent == false)
        }
    }

    @Test func `a connection that the peer closed while idle is not reused`() async throws {
        let server = TestServer { connection in
            _ = connection.readRequest()
            connection.answer("\(connection.number)")
        }
        try await withClient { client, _ in
            var answers: [String] = []
            for _ in 0..<5 {
                do throws(HTTPClientError) {
                    answers.append(String(decoding: try await client.execute(.post(server.url)).body, as: UTF8.self))
                } catch {
                    // The end of the connection may be on its way while the next request is written.
                    #expect(error.code == .sendInterrupted)
                }
            }
            #expect(Set(answers).count == answers.count, "a connection carried two requests")
        }
    }
}
