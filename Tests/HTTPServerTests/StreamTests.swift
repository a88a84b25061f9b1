import EventLoop
import HTTPServer
import Testing

@Suite(.timeLimit(.minutes(1))) struct StreamTests {
    @Test func `parts of a body are sent as they are made, and the connection is used again`() async throws {
        try await withServer { _, address, responder in
            let client = RawClient(address)
            client.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
            let head = await onThread { client.read(upTo: "\r\n\r\n") }
            #expect(head?.contains("\r\nTransfer-Encoding: chunked\r\n") == true, "\(head ?? "")")
            #expect(head?.contains("Content-Length") == false)
            for (part, chunk) in [("hello", "5\r\nhello\r\n"), (String(repeating: "a", count: 26), "1a\r\na")] {
                responder.parts.yield(part)
                #expect(await onThread { client.read(upTo: chunk) } == chunk)
            }
            // A part without bytes does not end the body.
            for part in ["", "b", nil] { responder.parts.yield(part) }
            let rest = await onThread { client.read(upTo: "0\r\n\r\n") }
            #expect(rest == String(repeating: "a", count: 25) + "\r\n1\r\nb\r\n0\r\n\r\n")
            let exchange = await responder.ends.next()
            #expect(exchange?.end == .complete && exchange?.status == 200 && (exchange?.bytesSent ?? 0) > 40)
            client.send("GET /at-once HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await onThread { client.read() }?.body == "at once")
        }
    }

    @Test func `a client of HTTP 1.0 gets the parts up to the end of the connection`() async throws {
        try await withServer { _, address, responder in
            let client = RawClient(address)
            client.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            for part in ["hello", "!", nil] { responder.parts.yield(part) }
            let head = await onThread { client.read(upTo: "\r\n\r\n") }
            #expect(head?.contains("chunked") == false && head?.contains("\r\nConnection: close\r\n") == true)
            #expect(await onThread { client.read(upTo: "!") } == "hello!")
            #expect(await onThread { client.isAtEnd() })
        }
    }

    @Test func `over TLS, the end of the connection is announced after the last part`() async throws {
        try await withTLSServer { _, address, responder, files in
            let client = RawClient(address, tls: ClientTLS(authority: files.certificate))
            await onThread {
                #expect(client.performHandshake() == nil)
                client.send("GET /stream HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                #expect(client.read(upTo: "\r\n\r\n")?.contains("chunked") == true)
            }
            for part in ["hello", nil] { responder.parts.yield(part) }
            await onThread {
                #expect(client.read(upTo: "0\r\n\r\n") == "5\r\nhello\r\n0\r\n\r\n")
                #expect(client.isAtEnd() && client.sawCloseNotify)
            }
        }
    }

    @Test func `HEAD has no parts`() async throws {
        try await withServer { _, address, responder in
            let client = RawClient(address)
            client.send("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\nGET /at-once HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await onThread { client.read(hasBody: false) }?.status == 200)
            #expect(await onThread { client.read() }?.status == 200)
        }
    }

    @Test func `a client that resets while a part is made ends the exchange, and the part is cancelled`() async throws {
        try await withServer { _, address, responder in
            let client = RawClient(address)
            client.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
            responder.parts.yield("hello")
            #expect(await onThread { client.read(upTo: "hello\r\n") } != nil)
            client.reset()
            #expect(await responder.cancellations.next() == "stream")
            #expect(await responder.ends.next()?.end == .clientGone)
        }
    }

    @Test func `a stopping server cancels the part that is being made`() async throws {
        try await withServer { server, address, responder in
            let client = RawClient(address)
            client.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await onThread { client.read(upTo: "\r\n\r\n") } != nil)
            await server.shutdown(grace: .zero)
            #expect(await responder.ends.next()?.end == .shutdown)
            #expect(await responder.cancellations.next() == "stream")
        }
    }
}
