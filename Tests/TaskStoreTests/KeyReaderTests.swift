import Dispatch
import TestKit
import Testing

@testable import TaskStore

/// Keys are read beside everything else that the store does.
@Suite(.onEventLoop) struct KeyReaderTests {
    @Test(.timeLimit(.minutes(1))) func `a revoked key is seen while all other reads and the next write are stuck`()
        async throws
    {
        let folder = StoreFolder()
        let lock = try ServeLock(store: folder.database)
        let store = try SQLiteTaskStore.open(path: folder.database, serving: lock)
        try await store.keys.insert(Samples.key(1))
        let before = try await store.keys.version()
        try await store.keys.revoke("key_1", at: 5)

        let (release, stuck) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let pool = try #require(store as? SQLTaskStore<SQLitePool>).pool
        // As many as there are threads for them, one after the other: a thread takes all reads that wait.
        var reads: [Task<Void, any Error>] = []
        for _ in 0..<SQLiteTaskStore.Options().readers {
            reads.append(Task { try await pool.read { _ throws(StoreError) in hold(stuck, release) } })
            try await blocking { stuck.wait() }
        }
        let write = Task { try await pool.write { _ throws(StoreError) in hold(stuck, release) } }
        try await blocking { stuck.wait() }
        #expect(try await store.keys.version() > before)
        #expect(try await store.keys.all().first?.revokedAt == 5)
        for _ in 0...reads.count { release.signal() }
        for read in reads { try await read.value }
        try await write.value
        await store.close()
        withExtendedLifetime(lock) {}
    }
}

/// Says that a thread is held, and holds it.
private func hold(_ stuck: DispatchSemaphore, _ release: DispatchSemaphore) {
    stuck.signal()
    release.wait()
}
