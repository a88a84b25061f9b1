import Foundation
import GRDB
import TaskStore
import TestKit
import Testing

/// What the store answers when it is asked whether it works.
@Suite(.onEventLoop) struct StoreCheckTests {
    private let folder = StoreFolder()

    /// A store that waits one second for locks and trusts a check for `interval`.
    private func open(interval: Duration) throws(StoreError) -> any TaskStore {
        var options = SQLiteTaskStore.Options()
        options.lockTimeout = .seconds(1)
        options.checkInterval = interval
        return try SQLiteTaskStore.open(path: folder.database, options: options)
    }

    private var logLength: Int {
        let attributes = try? FileManager.default.attributesOfItem(atPath: folder.database + "-wal")
        return attributes?[.size] as? Int ?? -1
    }

    private func codeOfCheck(_ store: any TaskStore) async -> StoreError.Code? {
        await failure { () throws(StoreError) in try await store.check() }
    }

    /// Runs `body` while another connection holds the write lock.
    private func withHeldLock<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        var configuration = GRDB.Configuration()
        configuration.allowsUnsafeTransactions = true
        let other = try DatabaseQueue(path: folder.database, configuration: configuration)
        try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
        let value = try await body()
        try await other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
        return value
    }

    @Test func `each check writes a page`() async throws {
        let store = try open(interval: .zero)
        try await store.check()
        let before = logLength
        try await store.check()
        #expect(logLength > before)
        #expect(store.statistics.commits == 0, "what changes no record is not counted")
        await store.close()
    }

    @Test func `consecutive checks share a write`() async throws {
        let store = try open(interval: .seconds(3600))
        try await store.check()
        let before = logLength
        for _ in 0..<20 { try await store.check() }
        #expect(logLength == before)
        await store.close()
    }

    @Test func `a check fails while another process holds the write lock, and recovers`() async throws {
        let store = try open(interval: .zero)
        try await store.check()
        #expect(try await withHeldLock { await codeOfCheck(store) } == .busy)
        #expect(await codeOfCheck(store) == nil)
        await store.close()
    }

    @Test func `a failed write makes the next check look again`() async throws {
        let store = try open(interval: .seconds(3600))
        try await store.check()
        var samples = Samples()
        let task = samples.task()
        let codes = try await withHeldLock {
            [await failure { () throws(StoreError) in try await store.begin(task) }, await codeOfCheck(store)]
        }
        #expect(codes == [.busy, .busy])
        await store.close()
    }

    @Test func `the store's threads have names`() async throws {
        let store = try open(interval: .zero)
        try await store.check()
        let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")
        let names = Set(
            threads.compactMap {
                try? String(contentsOfFile: "/proc/self/task/\($0)/comm", encoding: .utf8).dropLast().description
            })
        #expect(names.isSuperset(of: ["store-writer", "store-reader-0", "store-reader-1"]))
        await store.close()
    }
}
