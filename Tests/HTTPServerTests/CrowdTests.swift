import Base
import EventLoop
import Testing

@testable import HTTPServer

/// A server at its connection limit.
struct CrowdTests {
    private static func use(_ client: RawClient) {
        client.send(HostileCase.next)
        #expect(client.read()?.status == 200)
    }

    /// A client that was served and stays connected.
    private static func idle(_ address: SocketAddress) -> RawClient {
        let client = RawClient(address)
        use(client)
        return client
    }

    @Test(arguments: [1, 3]) func `the longest idle connection gives way to a new one`(loops: Int) async throws {
        let notices = Events<HTTPServerNotice>()
        try await withServer(
            loops: loops, configure: { $0.connections = 6 }, log: { notices.yield($0) }
        ) { server, address, _ in
            await onThread {
                let crowd = (0..<6).map { _ in Self.idle(address) }
                // The first is used again, so the second has now been idle longest.
                Self.use(crowd[0])
                let late = (0..<4).map { _ in Self.idle(address) }
                for client in crowd[1...4] { #expect(client.isAtEnd()) }
                for client in [crowd[0], crowd[5]] + late { Self.use(client) }
            }
            #expect(await notices.next() == .crowded(limit: 6))
            #expect(server.statistics.closedForRoom == 4 && server.statistics.refusedFull == 0)
        }
    }

    @Test func `many clients that arrive at once are all let in while others are idle`() async throws {
        try await withServer(loops: 2, configure: { $0.connections = 200 }) { server, address, _ in
            await onThread {
                let crowd = (0..<200).map { _ in Self.idle(address) }
                let late = (0..<150).map { _ in
                    let client = RawClient(address)
                    client.send(HostileCase.next)
                    return client
                }
                for client in late { #expect(client.read()?.status == 200) }
                withExtendedLifetime(crowd) {}
            }
            #expect(server.statistics.refusedFull == 0)
            #expect(server.statistics.closedForRoom >= 150)
        }
    }

    @Test(arguments: [1, 3]) func `silent strangers push out each other and no client that was served`(
        loops: Int
    ) async throws {
        try await withServer(loops: loops, configure: { $0.connections = 40 }) { server, address, _ in
            await onThread {
                let served = (0..<10).map { _ in Self.idle(address) }
                let strangers = (0..<300).map { _ in RawClient(address) }
                let late = (0..<5).map { _ in Self.idle(address) }
                for client in served + late { Self.use(client) }
                withExtendedLifetime(strangers) {}
            }
            #expect(server.statistics.refusedFull == 0)
            #expect(server.statistics.closedForRoom >= 270)
        }
    }

    @Test func `a client whose request was refused stays a stranger`() async throws {
        try await withServer(configure: { $0.connections = 4 }) { _, address, _ in
            await onThread {
                let served = Self.idle(address)
                let refused = (0..<30).map { _ in
                    let client = RawClient(address)
                    client.send("GET /unread HTTP/1.1\r\nHost: a\r\n\r\n")
                    #expect(client.read()?.status == 401)
                    return client
                }
                Self.use(served)
                withExtendedLifetime(refused) {}
            }
        }
    }

    @Test func `busy connections are not closed, and new ones are refused and counted`() async throws {
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

    // MARK: Closing rules

    @Test(
        arguments: [
            // When strangers and served clients became idle, how many are wanted and how many are open; up to which
            // time the cut goes, and whether it spares served clients.
            ([], [], 2, 9, nil, false), ([], [5, 3, 4], 2, 9, 4, false), ([6, 7], [5], 2, 9, 6, false),
            ([6, 7], [5], 9, 9, 7, false), ([1, 2, 3, 4, 5], [0], 2, 9, 2, true), ([1, 2, 3, 4], [0], 2, 9, 1, false),
            ([8, 9], [1], 9, 3, 9, true),
        ] as [([Int64], [Int64], Int, Int, Int64?, Bool)])
    func `the longest idle are closed, and only strangers if they are more than half`(
        strangers: [Int64], served: [Int64], wanted: Int, open: Int, last: Int64?, sparesServed: Bool
    ) {
        let idle =
            strangers.map { Idleness(since: time($0), isStranger: true) }
            + served.map { Idleness(since: time($0), isStranger: false) }
        for loops in 1...3 {
            var census = IdleCensus(wanted: wanted)
            for loop in 0..<loops {
                census.add(IdleCensus(wanted: wanted, idle.indices.filter { $0 % loops == loop }.map { idle[$0] }))
            }
            let expected = last.map { IdleCensus.Cut(last: time($0), sparesServed: sparesServed) }
            #expect(census.cut(of: open) == expected)
        }
    }

    @Test func `a cut that spares served clients never closes them, however long they have been idle`() {
        let cut = IdleCensus.Cut(last: time(5), sparesServed: true)
        #expect(cut.includes(Idleness(since: time(5), isStranger: true)))
        #expect(!cut.includes(Idleness(since: time(6), isStranger: true)))
        #expect(!cut.includes(Idleness(since: time(1), isStranger: false)))
    }

    // MARK: Waiting rules

    private func time(_ milliseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: milliseconds * 1_000_000) }

    @Test func `a client that arrives during a round waits for its end`() {
        var room = WaitingRoom<Int>(capacity: 8)
        #expect(room.enter(1, at: time(0)) == .makeRoom)
        #expect(room.enter(2, at: time(1)) == .wait)
        #expect(room.roundEnded(closed: 1, at: time(2)) == [1, 2])
        #expect(room.enter(2, at: time(2)) == .makeRoom)
        #expect(room.leave() == [2])
        #expect(room.roundEnded(closed: 1, at: time(3)) == [])
    }

    @Test func `a round that closed nothing is not repeated at once`() {
        var room = WaitingRoom<Int>(capacity: 8)
        #expect(room.enter(1, at: time(0)) == .makeRoom)
        #expect(room.roundEnded(closed: 0, at: time(1)) == [1])
        #expect(room.enter(1, at: time(1)) == .refuse)
        #expect(room.enter(2, at: time(100)) == .refuse)
        #expect(room.enter(3, at: time(101)) == .makeRoom)
    }

    @Test func `no more clients wait than there is room for`() {
        var room = WaitingRoom<Int>(capacity: 8)
        for guest in 0..<8 {
            #expect(!room.isFull)
            #expect(room.enter(guest, at: time(0)) != .refuse)
        }
        #expect(room.isFull)
        #expect(room.enter(-1, at: time(0)) == .refuse)
        #expect(room.roundEnded(closed: 1, at: time(0)).count == 8)
        #expect(!room.isFull)
    }
}
