import EventLoop
import Testing

@testable import HTTPClient

struct ConnectionSharesTests {
    @Test func `libcurl gets all connections until the other path begins, then at most half of them`() {
        let shares = ConnectionShares(maximum: 10)
        #expect(shares.libcurlLimit == 10)
        shares.http1 = 1
        #expect(shares.libcurlLimit == 5)
        shares.http1 = 7
        #expect(shares.libcurlLimit == 3)
        shares.http1 = 10
        #expect(shares.libcurlLimit == 1, "libcurl would take 0 for no limit")
        shares.http1 = 0
        #expect(shares.libcurlLimit == 5)
    }

    @Test func `HTTP 1.1 gets what libcurl does not have, and always one`() async throws {
        let loop = try EventLoop(name: "shares")
        await loop.spawn {
            let shares = ConnectionShares(maximum: 2)
            #expect(shares.http1Limit == 2)
            let table = SocketTable(loop: loop) { _, _ in }
            shares.libcurl = table
            let sockets = (0..<3).map { _ in table.open(family: 2, type: 1, protocol: 0) }
            #expect(shares.http1Limit == 1)
            for socket in sockets { _ = table.close(socket) }
            #expect(shares.http1Limit == 2)
        }.value
        loop.stop()
    }
}
