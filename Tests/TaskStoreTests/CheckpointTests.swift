import Foundation
import GRDB
import TaskStore
import TestKit
import Testing

/// How the logs of a process that serves get into the database, and become short again.
@Suite(.onEventLoop) struct CheckpointTests {
    private let folder = StoreFolder()

    private func open(_ change: (inout SQLiteTaskStore.Options) -> Void) throws -> any TaskStore {
        var options = SQLiteTaskStore.Options()
        change(&options)
        return try SQLiteTaskStore.open(
            path: folder.database, options: options, serving: try ServeLock(store: folder.database))
    }

    private func size(_ suffix: String) throws -> Int {
        try FileManager.default.attributesOfItem(atPath: folder.database + suffix)[.size] as? Int ?? 0
    }

    /// How many tasks the database has, which does not ask the store to commit.
    private func count(_ folder: StoreFolder) async throws -> Int? {
        try await DatabaseQueue(path: folder.database).read { try Int.fetchOne($0, sql: "SELECT count(*) FROM tasks") }
    }

    /// The files as a crash would leave them.
    private func crashed() throws -> StoreFolder {
        let copy = StoreFolder()
        for suffix in ["", "-wal", "-redo"] {
            try FileManager.default.copyItem(atPath: folder.database + suffix, toPath: copy.database + suffix)
        }
        return copy
    }

    @Test func `both logs stay short under constant load, and lose nothing`() async throws {
        let store = try open {
            $0.databaseDelay = .milliseconds(2)
            $0.logBytes = 128 << 10
        }
        let (clients, each) = (8, 600)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for client in 0..<clients {
                group.addTask {
                    var samples = Samples()
                    for _ in 0..<each {
                        try await store.begin(samples.task(tenant: "shop-\(client)", callbackURL: nil))
                    }
                }
            }
            try await group.waitForAll()
        }
        // The creates took about 3 MB of each log.
        #expect(try size("-redo") == 1 << 20, "the redo log grows in steps of a mebibyte")
        #expect(try size("-wal") < 1 << 20)
        #expect(try await store.unfinished(after: nil, limit: 9_999).count == clients * each)
        let copy = try crashed()
        await store.close()
        let again = try SQLiteTaskStore.open(path: copy.database, serving: try ServeLock(store: copy.database))
        #expect(try await again.unfinished(after: nil, limit: 9_999).count == clients * each)
        await again.close()
    }

    @Test func `what was not synced is soon in the database, and what was may take longer`() async throws {
        let store = try open {
            $0.databaseDelay = .seconds(3600)
            $0.syncDelay = .milliseconds(10)
        }
        var samples = Samples()
        let task = samples.task(callbackURL: nil)
        try await store.begin(task)
        #expect(try await count(folder) == 0)
        _ = try await store.accept(
            task.id, Samples.acceptance("kling-1"), ownID: { _ in false }, isRecoverable: true,
            answering: Samples.answer)
        let deadline = ContinuousClock.now + .seconds(20)
        while try await count(folder) == 0, ContinuousClock.now < deadline {}
        #expect(try await count(folder) == 1)
        await store.close()
    }
}
