import EventLoop
import Testing

@testable import HTTPServer

/// Which connections are admitted, to which loop, and how they are counted.
struct ConnectionLedgerTests {
    private func address(_ last: UInt8, port: UInt16 = 1) -> SocketAddress {
        .ipv4(address: 0x0a00_0000 | UInt32(last), port: port)
    }

    /// The loop that a connection is admitted to, or why it is refused.
    private func enter(_ ledger: ConnectionLedger, _ peer: SocketAddress) -> Result<Int, ConnectionLedger.Refusal> {
        Result { () throws(ConnectionLedger.Refusal) in try ledger.enter(peer) }
    }

    @Test func `the loop with the fewest connections gets the next one`() {
        let ledger = ConnectionLedger(loops: 3, limit: 0, limitPerAddress: 0)
        for loop in [0, 1, 2, 0, 1] { #expect(enter(ledger, address(1)) == .success(loop)) }
        ledger.leave(address(1), loop: 1)
        ledger.leave(address(1), loop: 1)
        for loop in [1, 1, 2, 0] { #expect(enter(ledger, address(1)) == .success(loop)) }
        #expect(ledger.statistics == HTTPServerStatistics(open: 7, accepted: 9))
    }

    @Test(arguments: [1, 2, 5]) func `no more connections are admitted than the limit`(limit: Int) {
        let ledger = ConnectionLedger(loops: 2, limit: limit, limitPerAddress: 0)
        for index in 0..<limit { #expect(enter(ledger, address(1)) == .success(index % 2)) }
        #expect(enter(ledger, address(2)) == .failure(.full))
        ledger.leave(address(1), loop: 0)
        #expect(enter(ledger, address(2)) == .success(0))
        #expect(enter(ledger, address(2)) == .failure(.full))
        #expect(ledger.statistics == HTTPServerStatistics(open: limit, accepted: limit + 1))
    }

    @Test func `an address is limited whatever its ports are, and does not limit others`() throws {
        let ledger = ConnectionLedger(loops: 1, limit: 0, limitPerAddress: 2)
        let mapped = SocketAddress.ipv6(address: 0xffff_0a00_0001, port: 3)
        #expect(enter(ledger, address(1, port: 1)) == .success(0))
        #expect(enter(ledger, address(1, port: 2)) == .success(0))
        #expect(enter(ledger, address(1, port: 3)) == .failure(.fullForAddress))
        #expect(enter(ledger, mapped) == .failure(.fullForAddress))
        #expect(enter(ledger, address(2)) == .success(0))
        ledger.leave(address(1, port: 2), loop: 0)
        #expect(enter(ledger, mapped) == .success(0))
        #expect(enter(ledger, address(1, port: 4)) == .failure(.fullForAddress))
        #expect(ledger.statistics == HTTPServerStatistics(open: 3, accepted: 4, refusedForAddress: 3))
    }

    @Test func `a full server refuses before it counts an address`() {
        let ledger = ConnectionLedger(loops: 1, limit: 1, limitPerAddress: 1)
        #expect(enter(ledger, address(1)) == .success(0))
        #expect(enter(ledger, address(2)) == .failure(.full))
        ledger.leave(address(1), loop: 0)
        #expect(enter(ledger, address(2)) == .success(0))
        #expect(ledger.statistics.refusedForAddress == 0)
    }

    @Test func `refused and closed connections are counted as they are reported`() {
        let ledger = ConnectionLedger(loops: 1, limit: 1, limitPerAddress: 0)
        ledger.giveUp()
        ledger.giveUp()
        ledger.closedForRoom(3)
        #expect(ledger.statistics == HTTPServerStatistics(refusedFull: 2, closedForRoom: 3))
    }

    @Test func `the wait for an empty server ends with its last connection`() async {
        let ledger = ConnectionLedger(loops: 2, limit: 0, limitPerAddress: 0)
        await ledger.waitUntilEmpty()
        #expect(enter(ledger, address(1)) == .success(0))
        #expect(enter(ledger, address(2)) == .success(1))
        await withTaskGroup(of: Int.self) { group in
            for _ in 0..<3 {
                group.addTask {
                    await ledger.waitUntilEmpty()
                    return ledger.statistics.open
                }
            }
            ledger.leave(address(1), loop: 0)
            ledger.leave(address(2), loop: 1)
            for await open in group { #expect(open == 0) }
        }
    }
}
