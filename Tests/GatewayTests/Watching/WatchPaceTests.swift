import Base
import TaskStore
import Testing

@testable import Gateway

/// How soon an end is noticed, and how many calls that takes.
struct WatchPaceTests {
    @Test(arguments: [1, 2, 500], [0.3, 3, 8, 11, 30, 299])
    func `the end of awaited work is noticed within 1.5 s, with one call a second`(count: Int, work: Double) throws {
        for moment in [0.05, 0.4, 0.6, 0.9] {
            var account = WatchedAccount(seed: UInt64(moment * 100))
            account.tick(after: .seconds(moment))
            let (tasks, accepted) = (account.watch(count, awaited: true), account.seconds)
            account.tick(after: .seconds(1 - moment))
            account.run(.seconds(work + 3)) { #expect($0.calls.count <= 1) }
            for task in tasks {
                let noticed = try #require(account.looks[task]?.first { $0 >= accepted + work })
                #expect(noticed - (accepted + work) <= 1.5)
            }
        }
    }

    /// The number of tasks, all on the first pages, and the most seconds between two checks of one.
    @Test(arguments: [(1, 1.1), (2, 1.1), (50, 1.1), (500, 1.1), (1_000, 2.1), (5_000, 11.3)])
    func `awaited tasks take one call a second, however many there are`(count: Int, most: Double) {
        var account = WatchedAccount()
        account.watch(count, awaited: true)
        account.run(.seconds(240)) { #expect($0.calls.count <= 1) }
        #expect(account.looks.count == count)
        #expect(account.looks.values.allSatisfy { gaps([0] + $0 + [240]).allSatisfy { $0 <= most } })
    }

    @Test func `tasks awaited for long are checked less and less often, down to about every six seconds`() {
        for (age, range) in [(60, 1.0...1.1), (1_800, 2.5...4.5), (36_000, 4.5...6.8)] {
            var account = WatchedAccount()
            account.watch(1, awaited: true, quietFor: .seconds(age))
            account.run(.seconds(120))
            #expect(account.looks.values.allSatisfy { gaps($0).allSatisfy { range.contains($0) } }, "\(age) s")
        }
    }

    @Test(arguments: [(0, 1.1), (1, 1.1), (499, 3.1), (700, 5.2)])
    func `500 tasks behind newer ones take one list call a second and a few queries`(newer: Int, most: Double) {
        var account = WatchedAccount()
        account.watch(500, awaited: true)
        account.bury(under: newer)
        account.run(.seconds(240)) { account in
            #expect(account.lists.count <= 1)
            #expect(account.calls.count - account.lists.count <= WatchSchedule.readsPerInterval)
        }
        #expect(account.looks.count == 500)
        #expect((account.looks.values.compactMap { gaps([0] + $0).max() }.max() ?? 240) <= most)
    }

    @Test func `a few tasks that a page lacks are queried at once and do not delay the others`() {
        var account = WatchedAccount()
        let missing = account.watch(3, awaited: true)
        account.list = []
        account.watch(20, awaited: true)
        account.bury(under: 400)
        account.run(.seconds(60)) { account in
            #expect(account.lists.filter { $0 != .list(page: 1) }.isEmpty)
            #expect(account.calls.count <= 1 + missing.count)
        }
        #expect(account.looks.values.allSatisfy { gaps([0] + $0 + [60]).allSatisfy { $0 <= 1.5 } })
    }

    @Test func `tasks that nothing waits for do not delay awaited ones`() {
        var account = WatchedAccount()
        account.watch(20_000, awaited: false, quietFor: .seconds(86_400))
        let awaited = account.watch(3, awaited: true)
        account.run(.seconds(600)) { #expect($0.lists.count <= 1) }
        for task in awaited { #expect((gaps(account.looks[task] ?? []).max() ?? 600) <= 2.5) }
        #expect(account.looks.count == 20_003)
    }
}
