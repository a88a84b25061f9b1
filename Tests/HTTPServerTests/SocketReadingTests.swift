import Base
import EventLoop
import Glibc
import Sockets
import Testing

@testable import HTTPServer

/// Heads and bodies read from a socket, without a server.
struct SocketReadingTests {
    /// Sends text to a socket, or FIN if it is empty, and reports that as the loop does.
    private typealias Send = (String, inout ConnectionSocket) -> Void

    private func withSocket(_ body: (inout ConnectionSocket, Send) throws -> Void) throws {
        let loop = try EventLoop(name: "reading")
        defer { loop.stop() }
        let context = LoopContext(
            loop: loop, index: 0, configuration: HTTPServerConfiguration(addresses: []), service: TestResponder(),
            budget: ByteBudget(capacity: 0), spares: SpareMappings(limit: 0),
            ledger: ConnectionLedger(loops: 1, limit: 0, limitPerAddress: 0))
        var ends: [Int32] = [0, 0]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        let (server, client) = (ends[0], ends[1])
        defer {
            close(server)
            close(client)
        }
        try #require(fcntl(server, F_SETFL, O_NONBLOCK) == 0)
        var socket = ConnectionSocket(.plain(descriptor: server), context: context)
        try body(&socket) { text, socket in
            if text.isEmpty { shutdown(client, Int32(SHUT_WR)) }
            #expect(text.isEmpty || send(client, text, text.utf8.count, 0) == text.utf8.count)
            socket.reported(.read)
        }
    }

    /// What a read of a head led to.
    private func read(_ heads: inout HeadReader, _ socket: inout ConnectionSocket) -> String {
        switch heads.read(from: &socket) {
        case .read(.incomplete): "incomplete"
        case .read(.complete(let head, _)): head.path
        case .read(.refused(let fault, _)): "\(fault.status)"
        case .nothing(let outcome): "\(outcome)"
        }
    }

    /// What a read of a body led to.
    private func read(_ intake: inout BodyIntake, _ socket: inout ConnectionSocket) -> String {
        switch intake.read(from: &socket) {
        case .complete: "complete"
        case .needsRoom: "needsRoom"
        case .blocked(let outcome): "\(outcome)"
        case .failed(let error): "\(error)"
        }
    }

    private func text(_ block: Bytes) -> String { block.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }

    private func rules(_ field: String) throws -> MessageRules {
        var parser = HeadParser(limits: HeadLimits())
        let bytes = Array("POST / HTTP/1.1\r\nHost: a\r\n\(field)\r\n\r\n".utf8)
        guard case .complete(_, let rules) = parser.parse(bytes.span).outcome else { throw CancellationError() }
        return rules
    }

    @Test func `reading a head consumes only its own bytes, and the rest stays pending`() throws {
        try withSocket { socket, send in
            var heads = HeadReader(limits: HeadLimits())
            send("GET /a HT", &socket)
            #expect(read(&heads, &socket) == "incomplete")
            #expect(read(&heads, &socket) == "blocked")
            send("TP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n?", &socket)
            #expect(read(&heads, &socket) == "/a")
            #expect(heads.takeCount() == 28)
            heads.reset()
            #expect(read(&heads, &socket) == "/b")
            #expect(heads.takeCount() == 28)
            #expect(socket.isUnread)
            heads.reset()
            #expect(read(&heads, &socket) == "400")
        }
    }

    @Test func `the client's end is read once everything before it was`() throws {
        try withSocket { socket, send in
            var heads = HeadReader(limits: HeadLimits())
            send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n", &socket)
            send("", &socket)
            #expect(socket.end() == true)
            #expect(socket.end() == false)
            #expect(read(&heads, &socket) == "/a")
            #expect(!socket.isExhausted)
            #expect(read(&heads, &socket) == "bytes(0)")
            #expect(socket.isExhausted)
        }
    }

    @Test func `a body is read into its block and no further`() throws {
        try withSocket { socket, send in
            var intake = BodyIntake(try rules("Content-Length: 5"))
            let block = Bytes(capacity: 5)
            intake.begin(limit: 5, block: block)
            send("abc", &socket)
            #expect(read(&intake, &socket) == "blocked")
            #expect(intake.remainder == .unknown)
            send("defgh", &socket)
            #expect(read(&intake, &socket) == "complete")
            intake.finish()
            #expect(intake.remainder == .nothing)
            #expect(intake.received == 5)
            #expect(text(block) == "abcde")
            #expect(socket.isReadable && !socket.hasPending)
        }
    }

    @Test func `a chunked body that fills its block continues in a larger one`() throws {
        try withSocket { socket, send in
            var intake = BodyIntake(try rules("Transfer-Encoding: chunked"))
            intake.begin(limit: 6, block: Bytes(capacity: 4))
            send("6\r\nabcdef\r\n0\r\n\r\n?", &socket)
            #expect(read(&intake, &socket) == "needsRoom")
            let larger = Bytes(capacity: 6)
            intake.move(to: larger)
            #expect(read(&intake, &socket) == "complete")
            #expect(text(larger) == "abcdef")
            #expect(intake.received == 16)
            #expect(socket.hasPending)
        }
    }

    @Test(
        arguments: [
            ("Content-Length: 0", .nothing, false), ("Content-Length: 5", .bytes(5), false),
            ("Transfer-Encoding: chunked", .unknown, false),
            ("Content-Length: 5\r\nExpect: 100-continue", .unknown, true),
        ] as [(String, BodyIntake.Remainder, Bool)])
    func `how much of an unread body may follow is known from its head`(
        field: String, remainder: BodyIntake.Remainder, awaitsContinue: Bool
    ) throws {
        var intake = BodyIntake(try rules(field))
        #expect(intake.remainder == remainder)
        #expect(intake.takeContinue() == awaitsContinue)
        #expect(intake.takeContinue() == false)
        intake.fail()
        #expect(intake.remainder == .unknown)
    }

    @Test func `what the client still sends is discarded and counted until it ends`() throws {
        try withSocket { socket, send in
            for (text, count, end) in [("ab", 2, .blocked), ("cde", 3, .blocked), ("", 0, .bytes(0))]
                as [(String, Int, Transport.Outcome)]
            {
                send(text, &socket)
                #expect(socket.discard() == (count, end))
            }
        }
    }
}
