import EventLoop
import HTTPServer
import Testing

/// What a handler learns about the delivery of its answer.
struct AnswerWatcherTests {
    private typealias Delivery = TestResponder.Delivery

    private func request(_ path: String, _ fields: String = "") -> String {
        "GET \(path) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n"
    }

    @Test(arguments: ["", "Connection: close\r\n"])
    func `an answer that the client's system has received is acknowledged without another request`(
        fields: String
    ) async throws {
        try await withServer { _, address, responder in
            let client = RawClient(address)
            for _ in 0..<(fields.isEmpty ? 3 : 1) {
                client.send(request("/watched", fields))
                let answer = await onThread { client.read() }
                #expect(answer?.status == 200)
                #expect(await responder.deliveries.next() == .begun)
                #expect(await responder.deliveries.next() == .acknowledged)
            }
        }
    }

    @Test(arguments: [true, false])
    func `an answer to a client that has left is lost`(resets: Bool) async throws {
        try await withServer { _, address, responder in
            do {
                let client = RawClient(address)
                client.send(request("/held"))
                #expect(await responder.deliveries.next() == .begun)
                if resets { client.reset() }
            }
            if !resets { #expect(await responder.deliveries.next() == .finished) }
            responder.gate.yield(())
            #expect(await responder.deliveries.next() == .lost)
        }
    }

    @Test func `a half-closed client still acknowledges its answer`() async throws {
        try await withServer { _, address, responder in
            let client = RawClient(address)
            client.send(request("/held"))
            #expect(await responder.deliveries.next() == .begun)
            client.finish()
            #expect(await responder.deliveries.next() == .finished)
            responder.gate.yield(())
            let answer = await onThread { client.read() }
            #expect(answer?.status == 200)
            #expect(await responder.deliveries.next() == .acknowledged)
        }
    }

    @Test func `a FIN that came with the request is reported at once`() async throws {
        try await withServer { _, address, responder in
            let client = RawClient(address)
            client.send(request("/watched"))
            client.finish()
            var heard: [Delivery] = []
            while heard.last != .acknowledged, let delivery = await responder.deliveries.next() {
                heard.append(delivery)
            }
            #expect(heard.first == .begun || heard.first == .finished)
            #expect(!heard.contains(.lost))
        }
    }

    @Test func `answers to pipelined requests are each acknowledged`() async throws {
        try await withServer { _, address, responder in
            let client = RawClient(address)
            client.send(String(repeating: request("/watched"), count: 3))
            var heard: [Delivery] = []
            while heard.count < 6, let delivery = await responder.deliveries.next() { heard.append(delivery) }
            #expect(heard.filter { $0 == .begun }.count == 3)
            #expect(heard.filter { $0 == .acknowledged }.count == 3)
            for _ in 0..<3 { _ = await onThread { client.read() } }
        }
    }

    @Test func `an answer that a stopping server gives up is lost`() async throws {
        let heard = Events<Delivery>()
        try await withServer { _, address, responder in
            let client = RawClient(address)
            client.send(request("/held"))
            #expect(await responder.deliveries.next() == .begun)
            Task { while let delivery = await responder.deliveries.next() { heard.yield(delivery) } }
        }
        var last: Delivery?
        while last != .lost, let delivery = await heard.next() { last = delivery }
        #expect(last == .lost)
    }
}
