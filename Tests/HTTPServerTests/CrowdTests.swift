import Base
import EventLoop
import Testing

@testable import HTTPServer

/// A server with as many connections as it may have.
struct CrowdTests {
    private static func use(_ client: RawClient) {
        client.send(HostileCase.next)
        #expect(client.read()?.status == 200)
    }

    /// A client that was served and stays.
    private static func idle(_ address: SocketAddress) -> RawClient {
        let client = RawClient(address)
        use(client)
        return client
    }

    @Test(arguments: [1, 3]) func `the connection that is idle longest gives way to a new one`(loops: Int) async throws
    {
        let notices = Events<HTTPServerNotice>()
        try await withServer(
            loops: loops, configure: { $0.connections = 6 }, log: { notices.yield($0) }
        ) { server, address, _ in
            await onThread {
                let crowd = (0..<6).map { _ in Self.idle(address) }
                // The first is used again: now the second is the one that is idle longest.
                Self.use(crowd[0])
                let late = (0..<4).map { _ in Self.idle(address) }
                for client in crowd[1...4] { #expect(client.isAtEnd()) }
                for client in [crowd[0], crowd[5]] + late { Self.use(client) }
            }
            #expect(await notices.next() == .crowded(limit: 6))
            #expect(server.statistics.closedForRoom == 4 && server.statistics.refusedFull == 0)
        }
    }

    @Test func `many that come at once are all let in while there are idle ones`() async throws {
        try await withServer(loops: 2, configure: { $0.connections = 200 }) { server, address, _ in
            await onThread {
                let crowd = (0..<200).map { _ in Self.idle(address) }
                let late = (0..<150).map { _ in RawClient(address) }
                for client in late { client.send(HostileCase.next) }
                for client in late { #expect(client.read()?.status == 200) }
                withExtendedLifetime(crowd) {}
            }
            #expect(server.statistics.refusedFull == 0)
            #expect(server.statistics.closedForRoom >= 150)
        }
    }

    @Test func `connections that are at work are not closed: new ones are refused, and counted`() async throws {
        let notices = Events<HTTPServerNotice>()
        try await withServer(
            configure: { $0.connections = 3 }, log: { notices.yield($0) }
        ) { server, address, responder in
            let waiting = RawClient(address)
            waiting.send("GET /waits HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await responder.starts.next() == "waits")
            let uploading = RawClient(address)
            uploading.send("POST /started HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
            #expect(await responder.starts.next() == "started")
            await onThread {
                let beginning = Self.idle(address)
                beginning.send("GET / HT")
                let refused = RawClient(address).read()
                #expect(refused?.status == 503 && refused?.head.range(after: "Retry-After: 1") != nil)
                uploading.send("cd")
                #expect(uploading.read()?.status == 200)
                beginning.send("TP/1.1\r\nHost: a\r\n\r\n")
                #expect(beginning.read()?.status == 200)
            }
            #expect(await notices.next() == .full(limit: 3))
            #expect(server.statistics.refusedFull == 1)
            waiting.reset()
        }
    }

    // MARK: The rules of waiting

    private func time(_ milliseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: milliseconds * 1_000_000) }

    @Test func `who comes during a round waits for its end`() {
        var room = WaitingRoom<Int>()
        #expect(room.enter(1, at: time(0)) == .makeRoom)
        #expect(room.enter(2, at: time(1)) == .wait)
        #expect(room.roundEnded(closed: 1, at: time(2)) == [1, 2])
        #expect(room.enter(2, at: time(2)) == .makeRoom)
        #expect(room.leave() == [2])
        #expect(room.roundEnded(closed: 1, at: time(3)) == [])
    }

    @Test func `a round that closed nothing is not repeated at once`() {
        var room = WaitingRoom<Int>()
        #expect(room.enter(1, at: time(0)) == .makeRoom)
        #expect(room.roundEnded(closed: 0, at: time(1)) == [1])
        #expect(room.enter(1, at: time(1)) == .refuse)
        #expect(room.enter(2, at: time(100)) == .refuse)
        #expect(room.enter(3, at: time(101)) == .makeRoom)
    }

    @Test func `no more wait than there is room for`() {
        var room = WaitingRoom<Int>()
        for guest in 0..<WaitingRoom<Int>.capacity { #expect(room.enter(guest, at: time(0)) != .refuse) }
        #expect(room.enter(-1, at: time(0)) == .refuse)
        #expect(room.roundEnded(closed: 1, at: time(0)).count == WaitingRoom<Int>.capacity)
    }
}
