import Base
import EventLoop
import HTTPServer
import Testing

struct ConnectionTests {
    @Test func `a client that resets ends its exchange, and the handler is cancelled`() async throws {
        try await withServer { _, address, responder in
            let client = RawClient(address)
            client.send("GET /waits HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await responder.starts.next() == "waits")
            client.reset()
            #expect(await responder.cancellations.next() == "waits")
            let exchange = await responder.ends.next()
            #expect(exchange?.end == .clientGone)
            #expect(exchange?.status == 499)
        }
    }

    @Test func `a shielded handler is cancelled after the shield if its client has reset`() async throws {
        try await withServer { _, address, responder in
            let client = RawClient(address)
            client.send("GET /shielded HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await responder.starts.next() == "shielded")
            client.reset()
            #expect(await responder.ends.next()?.end == .clientGone)
            responder.gate.yield(())
            #expect(await responder.cancellations.next() == "put off")
            #expect(await responder.cancellations.next() == "cancelled")
        }
    }

    @Test func `a client that resets in the middle of a body ends its exchange`() async throws {
        try await withServer { _, address, responder in
            let client = RawClient(address)
            client.send("POST /started HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nab")
            #expect(await responder.starts.next() == "started")
            client.reset()
            #expect(await responder.ends.next()?.end == .clientGone)
        }
    }

    @Test func `a request that can be answered at once is, unless it is pipelined`() async throws {
        try await withServer { _, address, responder in
            await onThread {
                let request = "GET /at-once HTTP/1.1\r\nHost: a\r\n\r\n"
                let client = RawClient(address)
                for _ in 0..<3 {
                    client.send(request)
                    #expect(client.read()?.body == "at once")
                }
                let count = 2000
                client.send(String(repeating: request, count: count))
                let answers = (0..<count).map { _ in client.read() }
                #expect(answers.allSatisfy { $0?.status == 200 })
                #expect(answers.dropLast().allSatisfy { $0?.body.hasPrefix("path=/at-once") == true })
            }
            let exchange = await responder.ends.next()
            #expect(exchange?.end == .complete)
            #expect(exchange?.status == 200)
        }
    }

    @Test func `a half-closed client gets its answer, and a body that is cut short gets 400`() async throws {
        try await withServer { _, address, _ in
            await onThread {
                let whole = RawClient(address)
                whole.send(HostileCase.next)
                whole.finish()
                #expect(whole.read()?.status == 200)
                #expect(whole.isAtEnd())
                let cut = RawClient(address)
                cut.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nab")
                cut.finish()
                #expect(cut.read()?.status == 400)
                #expect(cut.isAtEnd())
            }
        }
    }

    @Test func `slow heads and bodies get 408, and idle connections close without an answer`() async throws {
        try await withServer(configure: {
            $0.headTimeout = .milliseconds(100)
            $0.bodyTimeout = .milliseconds(100)
            $0.idleTimeout = .milliseconds(100)
        }) { _, address, _ in
            await onThread {
                let head = RawClient(address)
                head.send("GET / HT")
                let body = RawClient(address)
                body.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nab")
                let idle = RawClient(address)
                for client in [head, body] {
                    #expect(client.read()?.status == 408)
                    client.finish()
                    #expect(client.isAtEnd())
                }
                #expect(idle.isAtEnd())
            }
        }
    }

    @Test func `a client that does not read its answer is cut off`() async throws {
        try await withServer(configure: {
            $0.bodyTimeout = .milliseconds(50)
            $0.minimumRate = 1 << 30
        }) { _, address, responder in
            let client = RawClient(address)
            client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await responder.ends.next()?.end == .writeTimeout)
            withExtendedLifetime(client) {}
        }
    }

    @Test func `a client that sends a large body to its end can still read an early answer`() async throws {
        try await withServer { _, address, _ in
            await onThread {
                let client = RawClient(address)
                let length = 48 << 20
                client.send("POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: \(length)\r\n\r\n")
                client.send([UInt8](repeating: 0x78, count: length))
                #expect(client.read()?.status == 401)
                #expect(client.isAtEnd())
            }
        }
    }

    @Test func `no interim answer is sent to a client that has not asked for one`() async throws {
        // requests, Node's fetch, wget2 and others take an interim answer that they did not ask for to be the answer.
        let heads = [
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n",
            "POST / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: upgrade\r\nContent-Length: 4\r\n\r\n",
        ]
        try await withServer { _, address, _ in
            await onThread {
                for head in heads {
                    let client = RawClient(address)
                    client.send(head)
                    client.send("ab")
                    client.send(head.contains("chunked") ? "cd\r\n0\r\n\r\n" : "cd")
                    #expect(client.read()?.status == 200, "\(head)")
                }
            }
        }
    }

    @Test func `HEAD gets only the length of a large answer`() async throws {
        try await withServer { _, address, _ in
            await onThread {
                let client = RawClient(address)
                client.send("HEAD /large HTTP/1.1\r\nHost: a\r\n\r\n")
                let head = client.read(hasBody: false)
                #expect(head?.head.range(after: "Content-Length: 20000000") != nil)
                client.send(HostileCase.next)
                #expect(client.read()?.body.hasPrefix("path=/next ") == true)
            }
        }
    }

    @Test func `header fields that would break the answer's head are left out`() async throws {
        try await withServer { _, address, _ in
            await onThread {
                let client = RawClient(address)
                client.send("GET /injects HTTP/1.1\r\nHost: a\r\n\r\n")
                let head = client.read()?.head ?? ""
                let names = head.split(separator: "\r\n").dropFirst().compactMap { $0.split(separator: ":").first }
                #expect(names == ["Date", "Content-Length", "X-Sound"])
            }
        }
    }

    @Test func `a stand-in server breaks its answers as told`() async throws {
        try await withServer { _, address, _ in
            await onThread {
                for query in ["close", "reset"] {
                    let client = RawClient(address)
                    client.send("GET /breaks?\(query) HTTP/1.1\r\nHost: a\r\n\r\n")
                    if query == "close" { #expect(client.read()?.head == "HTTP/1.1 garbage") }
                    #expect(client.isAtEnd() || query == "reset")
                }
            }
        }
    }

    @Test func `a large chunked body is reserved in the budget and given back`() async throws {
        let budget = ByteBudget(capacity: 4 << 20)
        try await withServer(budget: budget) { _, address, responder in
            await onThread {
                let client = RawClient(address)
                let chunk = "10000\r\n" + String(repeating: "x", count: 0x10000) + "\r\n"
                client.send(HostileCase.chunked(chunk + chunk + "0\r\n\r\n"))
                #expect(client.read()?.body.range(after: "body=131072") != nil)
            }
            let exchange = await responder.ends.next()
            #expect(exchange?.bytesReceived ?? 0 > 131_072)
            #expect(budget.used == 0)
        }
    }

    @Test func `new requests are served beside idle connections and slow senders`() async throws {
        try await withServer(loops: 2) { server, address, _ in
            await onThread {
                let idle = (0..<300).map { _ in RawClient(address) }
                let slow = (0..<50).map { _ in RawClient(address) }
                for client in slow { client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nab") }
                for _ in 0..<20 {
                    let client = RawClient(address)
                    client.send(HostileCase.next)
                    #expect(client.read()?.status == 200)
                }
                withExtendedLifetime((idle, slow)) {}
            }
            #expect(server.statistics.accepted == 370)
        }
    }

    @Test func `connections over the limit of an address are refused and counted`() async throws {
        try await withServer(configure: { $0.connectionsPerAddress = 1 }) { server, address, _ in
            await onThread {
                let client = RawClient(address)
                client.send(HostileCase.next)
                #expect(client.read()?.status == 200)
                #expect(RawClient(address).read()?.status == 503)
            }
            #expect(server.statistics.refusedForAddress == 1)
        }
    }

    @Test func `a Unix-domain socket and IPv6 are served, and a stale socket file is replaced`() async throws {
        let path = "/tmp/kling-gateway-test-\(UInt64.random(in: 0...UInt64.max)).sock"
        let stale = try ListeningSocket(address: .unix(path: path))
        closeKeepingFile(stale.descriptor)
        for text in ["unix:\(path)", "[::1]:0"] {
            let address = try #require(SocketAddress(text))
            try await withServer(configure: { $0.addresses = [address] }) { _, address, _ in
                await onThread {
                    let client = RawClient(address)
                    client.send(HostileCase.next)
                    #expect(client.read()?.status == 200)
                }
            }
        }
    }

    @Test func `the error for an address in use names it`() async throws {
        try await withServer { _, address, responder in
            let loop = try EventLoop(name: "second")
            let second = HTTPServer(
                configuration: HTTPServerConfiguration(addresses: [address]), loops: [loop],
                budget: ByteBudget(capacity: 1), service: responder)
            await #expect(throws: HTTPServerError.addressInUse(address)) { try await second.start() }
            loop.stop()
        }
    }

    @Test func `a stopping server finishes what it has begun and abandons what does not end`() async throws {
        // The rest of the body may come late on a busy machine.
        try await withServer(configure: { $0.bodyTimeout = .seconds(600) }) { server, address, responder in
            let waiting = RawClient(address)
            waiting.send("GET /waits HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await responder.starts.next() == "waits")
            let uploading = RawClient(address)
            uploading.send("POST /started HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
            #expect(await responder.starts.next() == "started")
            let idle = RawClient(address)
            await server.stopAccepting()
            let idleEnded = await onThread { idle.isAtEnd() }
            #expect(idleEnded)
            uploading.send("cd")
            let answer = await onThread { uploading.read() }
            #expect(answer?.status == 200)
            #expect(answer?.head.range(after: "Connection: close") != nil)
            await server.shutdown(grace: .milliseconds(10))
            #expect(await responder.cancellations.next() == "waits")
            #expect(server.statistics.open == 0)
            #expect(Set(responder.finished.withLock { $0.map(\.end) }) == [.complete, .shutdown])
            withExtendedLifetime(waiting) {}
        }
    }

    @Test func `bodies wait for their share of the budget and give it back`() async throws {
        let budget = ByteBudget(capacity: 400_000)
        try await withServer(budget: budget, configure: { $0.budgetTimeout = .milliseconds(50) }) { _, address, _ in
            await onThread {
                func begin() -> RawClient {
                    let client = RawClient(address)
                    client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 150000\r\n\r\n")
                    return client
                }
                let first = begin()
                #expect(first.read()?.status == 100)
                #expect(begin().read()?.status == 503)
                first.send([UInt8](repeating: 0x78, count: 150_000))
                #expect(first.read()?.body.range(after: "body=150000") != nil)
                #expect(begin().read()?.status == 100)
            }
        }
    }
}
