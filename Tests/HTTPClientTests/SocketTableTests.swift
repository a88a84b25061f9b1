import EventLoop
import Glibc
import Testing

@testable import HTTPClient

/// What libcurl may wait for: `CURL_POLL_IN`, `_OUT`, `_INOUT` and `_REMOVE`.
private enum Poll {
    static let (reading, writing, both, removed): (Int32, Int32, Int32, Int32) = (1, 2, 3, 4)
}

struct SocketTableTests {
    /// A table with a socket that can always be read and written: a datagram socket with a datagram from itself.
    private final class Bench: @unchecked Sendable {
        // @unchecked: everything but `loop` is used on the loop's thread only.
        let loop: EventLoop
        private(set) var table: SocketTable?
        private(set) var descriptor: Int32 = -1
        private var reports: [Int32: SocketEvents] = [:]

        init(_ loop: EventLoop) {
            self.loop = loop
            table = SocketTable(loop: loop) { [unowned self] in reports[$0, default: []].formUnion($1) }
        }

        func open(isConnection: Bool) {
            let opened =
                isConnection
                ? table?.open(family: AF_INET, type: datagrams, protocol: 0) : socket(AF_INET, datagrams, 0)
            descriptor = opened ?? -1
            #expect(isLoopedBack(descriptor))
        }

        /// Opens a socket whose number is the same each time: it is near the end of those that the process may use, far
        /// from those that other tests get.
        func openAtSameNumber() {
            var limit = rlimit()
            getrlimit(descriptorLimit, &limit)
            let lowest = socket(AF_INET, datagrams, 0)
            descriptor = fcntl(lowest, F_DUPFD, Int32(min(limit.rlim_cur, 65_536)) - 16)
            _ = table?.close(lowest)
            #expect(isLoopedBack(descriptor))
        }

        func close() { #expect(table?.close(descriptor) == 0) }

        func release() { table = nil }

        /// What the table reports of the descriptor after `change`, in the turns that follow.
        func reports(after change: @escaping @Sendable (Bench) -> Void) async -> SocketEvents {
            await loop.run { [self] in
                change(self)
                reports = [:]
            }
            // The jobs of a turn may run before its events are reported, but not before those of the turn before.
            for _ in 0..<2 { await loop.run {} }
            return await loop.run { [self] in reports[descriptor] ?? [] }
        }
    }

    private func withBench(_ body: (Bench) async throws -> Void) async throws {
        let loop = try EventLoop(name: "sockets")
        let bench = await loop.run { Bench(loop) }
        try await body(bench)
        await loop.run { bench.release() }
        loop.stop()
    }

    private static let (none, reading, writing, both) = (
        SocketEvents(), SocketEvents.read, SocketEvents.write, [SocketEvents.read, .write] as SocketEvents
    )

    private static let table: [[(interest: Int32, reported: SocketEvents)]] = [
        [(Poll.reading, reading)],
        [(Poll.writing, writing)],
        [(Poll.both, both)],
        [(Poll.removed, none)],
        [(Poll.reading, reading), (Poll.writing, writing), (Poll.reading, reading)],
        [(Poll.both, both), (Poll.reading, reading), (Poll.both, both), (Poll.writing, writing)],
        [(Poll.reading, reading), (Poll.removed, none), (Poll.removed, none), (Poll.reading, reading)],
        [(Poll.writing, writing), (Poll.removed, none), (Poll.both, both)],
        [(Poll.both, both), (Poll.removed, none), (Poll.writing, writing)],
    ]

    @Test(arguments: [true, false], table.indices)
    func `a descriptor is reported for what libcurl waits for, and only for that`(
        isConnection: Bool, index: Int
    ) async throws {
        try await withBench { bench in
            await bench.loop.run { bench.open(isConnection: isConnection) }
            for (step, row) in Self.table[index].enumerated() {
                let reported = await bench.reports { $0.table?.watch($0.descriptor, for: row.interest) }
                #expect(reported == row.reported, "step \(step)")
            }
            await bench.loop.run { bench.close() }
        }
    }

    @Test func `a descriptor that was closed is forgotten before its number is used again`() async throws {
        try await withBench { bench in
            let watched = await bench.reports { bench in
                bench.openAtSameNumber()
                bench.table?.watch(bench.descriptor, for: Poll.reading)
            }
            #expect(watched == .read)
            let number = bench.descriptor
            let reopened = await bench.reports { bench in
                bench.close()
                bench.openAtSameNumber()
            }
            #expect(reopened == [])
            #expect(bench.descriptor == number)
            #expect(await bench.reports { $0.table?.watch($0.descriptor, for: Poll.reading) } == .read)
            await bench.loop.run { bench.close() }
        }
    }

    @Test func `connections are counted, and other sockets are not`() async throws {
        try await withBench { bench in
            await bench.loop.run {
                guard let table = bench.table else { return }
                func counts() -> [Int] { [table.openConnections, table.connectionsOpened] }
                let connections = (0..<3).map { _ in table.open(family: AF_INET, type: datagrams, protocol: 0) }
                #expect(counts() == [3, 3])
                #expect(table.open(family: -1, type: datagrams, protocol: 0) == -1)
                #expect(counts() == [3, 3])
                let other = socket(AF_INET, datagrams, 0)
                table.watch(other, for: Poll.reading)
                #expect(table.close(other) == 0)
                #expect(counts() == [3, 3])
                for descriptor in connections { #expect(table.close(descriptor) == 0) }
                #expect(counts() == [0, 3])
            }
        }
    }

    @Test func `a connection's descriptor is not inherited by other programs`() async throws {
        try await withBench { bench in
            await bench.loop.run {
                bench.open(isConnection: true)
                #expect(fcntl(bench.descriptor, F_GETFD) & FD_CLOEXEC != 0)
                bench.close()
            }
        }
    }
}

private let datagrams = Int32(SOCK_DGRAM.rawValue)
private let descriptorLimit = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)

/// Connects a datagram socket to itself, and sends it a datagram.
private func isLoopedBack(_ descriptor: Int32) -> Bool {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout.size(ofValue: address))
    return withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
                && connect(descriptor, $0, length) == 0 && send(descriptor, "x", 1, 0) == 1
        }
    }
}
