import Base
import TaskStore
import TestKit
import Testing

/// Bodies in a store that several processes share.
@Suite(.onEventLoop, .needsPostgres) struct BlobStoreTests {
    private static let unbounded = BlobTotal(count: .max, bytes: .max)

    private func with(
        _ body: (_ store: any TaskStore, _ blobs: any BlobStore, _ url: String) async throws -> Void
    ) async throws {
        let url = try await PostgresServer.shared.makeDatabase()
        let store = try await open(url)
        try await body(store, try #require(store.blobs), url)
        await store.close()
    }

    private func open(_ url: String) async throws -> any TaskStore {
        try await blocking { try PostgresTaskStore.open(url: url) }
    }

    private func serve(_ url: String, as name: String) async throws -> any TaskStore {
        try await blocking { try PostgresTaskStore.open(url: url, servingAs: name, deliveries: Samples.deliveries) }
    }

    private func body(_ count: Int) -> Bytes {
        Bytes((0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 13) })
    }

    private func array(_ bytes: Bytes?) -> [UInt8]? { bytes.map { block in block.withUnsafeBytes { Array($0) } } }

    /// Writes a blob of a few bytes.
    private func write(
        _ kind: BlobKind, _ name: String, _ text: String = "body", task: TaskID? = nil, owner: String = "",
        at time: Int64 = 1_000, to blobs: any BlobStore, within bounds: BlobTotal = unbounded
    ) async throws -> Bool {
        let blob = Blob(kind, name, task: task, owner: owner, createdAt: time, bytes: text.utf8.count)
        return try await blobs.write(blob, [ByteSlice(copying: text)], within: bounds)
    }

    private func names(_ kind: BlobKind, _ blobs: any BlobStore, owner: String? = nil) async throws -> [String] {
        try await blobs.list(kind, owner: owner).map(\.blob.name)
    }

    @Test func `only a store that is shared has blobs`() async throws {
        let folder = StoreFolder()
        let store = try SQLiteTaskStore.open(path: folder.database)
        #expect(store.blobs == nil)
        await store.close()
    }

    @Test(arguments: [0, 1, 1 << 20, 1 << 20 + 1, 3 << 20 + 17])
    func `a body of any size is read as it was written, by another process too`(size: Int) async throws {
        try await with { _, blobs, url async throws in
            let block = body(size)
            // Many slices, some of them empty.
            var slices: [ByteSlice] = []
            var start = 0
            while start < size {
                let end = min(size, start + 1 + start % 700_000)
                slices += [ByteSlice(block, start..<start), ByteSlice(block, start..<end)]
                start = end
            }
            let blob = Blob(.queued, "a", createdAt: 1_000, bytes: size)
            #expect(try await blobs.write(blob, slices, within: Self.unbounded))
            let other = try await open(url)
            let read = try await other.blobs?.read(.queued, "a", holding: nil)
            #expect(array(read) == array(block))
            #expect(try await other.blobs?.find(.queued, "a")?.blob == blob)
            await other.close()
        }
    }

    @Test func `blobs are told apart by kind and name, and a blob takes the place of one with its name`() async throws {
        try await with { _, blobs, _ async throws in
            #expect(try await write(.hosted, "a", "old", to: blobs))
            #expect(try await write(.hosted, "a", "new", to: blobs))
            #expect(try await write(.uploaded, "a", "other", to: blobs))
            #expect(try await array(blobs.read(.hosted, "a", holding: nil)) == Array("new".utf8))
            #expect(try await array(blobs.read(.uploaded, "a", holding: nil)) == Array("other".utf8))
            #expect(try await blobs.read(.queued, "a", holding: nil) == nil)
            #expect(try await blobs.find(.hosted, "b") == nil)
        }
    }

    @Test(.timeLimit(.minutes(1))) func `what a body holds is released together with it`() async throws {
        try await with { _, blobs, _ async throws in
            final class Lease: Sendable {}
            _ = try await write(.queued, "a", to: blobs)
            weak let lease: Lease?
            var read: Bytes?
            do {
                let held = Lease()
                lease = held
                read = try await blobs.read(.queued, "a", holding: held)
            }
            #expect(read?.count == 4 && lease != nil)
            read = nil
            // The store's thread may still be about to let go of its result.
            while lease != nil { await Task.yield() }
        }
    }

    @Test func `blobs are listed and added up, by owner too, oldest first`() async throws {
        try await with { _, blobs, _ async throws in
            for (name, owner, time) in [("c", "x", 3), ("a", "y", 1), ("b", "x", 2)] as [(String, String, Int64)] {
                _ = try await write(.uploaded, name, name + owner, owner: owner, at: time, to: blobs)
            }
            #expect(try await names(.uploaded, blobs) == ["a", "b", "c"])
            #expect(try await names(.uploaded, blobs, owner: "x") == ["b", "c"])
            #expect(try await blobs.total(.uploaded, .all) == BlobTotal(count: 3, bytes: 6))
            #expect(try await blobs.total(.uploaded, .owner("x")) == BlobTotal(count: 2, bytes: 4))
            #expect(try await blobs.total(.hosted, .all) == BlobTotal(count: 0, bytes: 0))
        }
    }

    @Test func `the pictures of each process's own tasks add up to all of them`() async throws {
        let url = try await PostgresServer.shared.makeDatabase()
        let stores = [try await serve(url, as: "one"), try await serve(url, as: "two")]
        var samples = Samples()
        for (store, count) in zip(stores, [2, 1]) {
            let task = samples.task()
            try await store.begin(task)
            for number in 0..<count {
                _ = try await write(.hosted, "\(task.id)-\(number)", task: task.id, to: try #require(store.blobs))
            }
        }
        var counts: [Int] = []
        for store in stores { counts.append(try await #require(store.blobs).total(.hosted, .ownTasks).count) }
        #expect(counts == [2, 1])
        #expect(try await #require(stores[0].blobs).total(.hosted, .all) == BlobTotal(count: 3, bytes: 12))
        for store in stores { await store.close() }
    }

    @Test func `a blob without room is not written, and leaves the one with its name`() async throws {
        try await with { _, blobs, _ async throws in
            let bounds = BlobTotal(count: 2, bytes: 10)
            #expect(try await write(.hosted, "a", "12345", to: blobs, within: bounds))
            #expect(try await write(.hosted, "b", "123456", to: blobs, within: bounds) == false, "11 bytes")
            #expect(try await write(.hosted, "b", "12345", to: blobs, within: bounds))
            #expect(try await write(.hosted, "c", "", to: blobs, within: bounds) == false, "the third")
            #expect(try await write(.hosted, "a", "123456", to: blobs, within: bounds) == false)
            #expect(try await array(blobs.read(.hosted, "a", holding: nil)) == Array("12345".utf8))
            #expect(try await write(.hosted, "a", "54321", to: blobs, within: bounds), "its own bytes are freed")
            #expect(try await write(.queued, "c", "12345678901", to: blobs))
            #expect(try await names(.hosted, blobs).sorted() == ["a", "b"])
        }
    }

    @Test func `removed blobs are gone with their bytes, and removing them again is not an error`() async throws {
        try await with { _, blobs, url async throws in
            for name in ["a", "b", "c"] { _ = try await write(.queued, name, to: blobs) }
            try await blobs.remove(.queued, ["c", "a", "nobody's"])
            try await blobs.remove(.queued, ["a"])
            #expect(try await names(.queued, blobs) == ["b"])
            #expect(try await blobs.read(.queued, "a", holding: nil) == nil)
            let chunks = try await PostgresServer.shared.query(
                "SELECT count(*) FROM kling_gateway.blob_chunks", in: url)
            #expect(chunks == "1")
        }
    }

    @Test func `blobs expire by their age, and by the end of their tasks`() async throws {
        try await with { store, blobs, _ async throws in
            var samples = Samples()
            let tasks = (0..<3).map { _ in samples.task() }
            for task in tasks { try await store.begin(task) }
            for (task, time) in zip(tasks[1...], [2_000, 3_000] as [Int64]) {
                try await store.refuse(task.id, reason: "no", at: time)
            }
            let ids = tasks.map(\.id) + [samples.task().id, nil]
            for (name, task) in zip(["open", "ended early", "ended", "unknown", "no task's"], ids) {
                _ = try await write(.hosted, name, task: task, at: 1_000, to: blobs)
            }
            _ = try await write(.hosted, "old", task: tasks[0].id, at: 999, to: blobs)
            let found = try #require(try await blobs.find(.hosted, "ended"))
            #expect(found.taskState == .refused && found.taskEndedAt == 3_000 && found.blob.task == tasks[2].id)
            #expect(try await blobs.find(.hosted, "open")?.taskState == .intent)
            #expect(try await blobs.find(.hosted, "unknown")?.taskState == nil)
            #expect(try await blobs.expire(.queued, createdBefore: .max, tasksEndedBefore: .max) == 0)
            #expect(try await blobs.expire(.hosted, createdBefore: 1_000, tasksEndedBefore: 3_000) == 3)
            #expect(try await names(.hosted, blobs).sorted() == ["ended", "no task's", "open"])
        }
    }

    @Test func `bodies are removed once Kling has their tasks or they have ended`() async throws {
        try await with { store, blobs, _ async throws in
            var samples = Samples()
            let tasks = (0..<4).map { _ in samples.task(account: nil, at: 1_000) }
            for task in tasks { try await store.begin(task) }
            for task in tasks[1...] { _ = try await store.queue(task.id) }
            for id in tasks.map(\.id) + [samples.task().id] {
                _ = try await write(.queued, "\(id)", task: id, to: blobs)
            }
            _ = try await store.accept(tasks[2].id, Samples.acceptance("kling-1"))
            _ = try await store.cancel(tasks[3].id, reason: "no", at: 2_000)
            #expect(try await blobs.removeSent(.queued, "\(tasks[1].id)") == 0)
            #expect(try await blobs.removeSent(.queued, "\(tasks[2].id)") == 1)
            #expect(try await blobs.removeSent(.queued, nil) == 2)
            #expect(try await names(.queued, blobs) == tasks[..<2].map { "\($0.id)" })
        }
    }

    @Test func `many bodies are written and read at once`() async throws {
        try await with { _, blobs, _ async throws in
            let block = body(1_500_000)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<12 {
                    group.addTask {
                        let slice = ByteSlice(block, number..<block.count)
                        let blob = Blob(.queued, "\(number)", createdAt: Int64(number), bytes: slice.count)
                        #expect(try await blobs.write(blob, [slice], within: Self.unbounded))
                        let read = try await blobs.read(.queued, "\(number)", holding: nil)
                        #expect(read?.count == slice.count)
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await blobs.total(.queued, .all).count == 12)
        }
    }

    @Test func `bodies survive a crash of the server, and its return is noticed`() async throws {
        let server = try await PostgresServer()
        let store = try await open(try await server.makeDatabase())
        let blobs = try #require(store.blobs)
        #expect(try await write(.queued, "a", to: blobs))
        try await server.kill()
        let lost = await failure { () throws(StoreError) in try await blobs.read(.queued, "a", holding: nil) }
        #expect(lost == .unavailable)
        try await server.start()
        #expect(try await array(blobs.read(.queued, "a", holding: nil)) == Array("body".utf8))
        #expect(try await write(.queued, "b", to: blobs))
        await store.close()
        let closed = await failure { () throws(StoreError) in try await blobs.find(.queued, "a") }
        #expect(closed == .unavailable)
    }
}
