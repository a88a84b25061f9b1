import Base
import HTTPServer
import TaskStore
import TestKit
import Testing

@testable import Gateway

/// Bodies that gateways on one PostgreSQL database have in common.
@Suite(.onEventLoop, .timeLimit(.minutes(2)), .needsPostgres) struct SharedBodiesTests {
    /// Two gateways' views of one database.
    private struct Pair {
        let url: String
        let stores: [any TaskStore]
        let time = TestClock()
        let ids = taskIDs(3)

        func begin(_ id: TaskID, at time: Int64 = 1_000) async throws {
            try await stores[0].begin(
                NewTask(id: id, tenant: "shop", assignment: nil, model: "kolors-virtual-try-on-v1", createdAt: time))
        }

        func spools(tasks: Int = 10, bytes: Int = 1 << 24) throws -> [SharedSpool] {
            let bounds = QueueBounds(tasks: tasks, bytes: bytes, maxAge: 1)
            return try stores.map { SharedSpool(try #require($0.blobs), bounds, time.guarded) }
        }

        func pictures(bytes: Int = 1 << 24) throws -> [SharedHostedPictures] {
            var bounds = HostedPictureBounds()
            bounds.bytes = bytes
            return try stores.map { SharedHostedPictures(try #require($0.blobs), bounds, time.guarded) }
        }

        func assets(_ bounds: AssetBounds = AssetBounds()) throws -> [SharedAssetStore] {
            try stores.map { SharedAssetStore(try #require($0.blobs), bounds, time.guarded) }
        }

        func query(_ sql: String) async throws -> String {
            try await PostgresServer.shared.query("SET search_path = kling_gateway; \(sql)", in: url)
        }
    }

    private func with(_ body: (Pair) async throws -> Void) async throws {
        let url = try await PostgresServer.shared.makeDatabase()
        let stores = try await blocking { try (0..<2).map { _ in try PostgresTaskStore.open(url: url) } }
        try await body(Pair(url: url, stores: stores))
        for store in stores { await store.close() }
    }

    private func file(_ count: Int = 10, _ byte: UInt8 = 7) -> ByteSlice {
        ByteSlice(Bytes([UInt8](repeating: byte, count: count)), 0..<count)
    }

    private func code<Value>(_ body: () async throws(SpoolError) -> Value) async -> SpoolError.Code? {
        do throws(SpoolError) {
            _ = try await body()
            return nil
        } catch {
            return error.code
        }
    }

    // MARK: Queued bodies

    @Test func `a queued body is read by another gateway, until its task does not need it`() async throws {
        try await with { pair in
            let (spools, id) = (try pair.spools(), pair.ids[0])
            try await pair.begin(id)
            let body = [ByteSlice(copying: "{"), file(3_000_000, 0x20), ByteSlice(copying: "}")]
            try await spools[0].write(id, body)
            let read = try await spools[1].read(id, length: 3_000_002, holding: nil)
            #expect(read.count == 3_000_002)
            #expect(read.withUnsafeBytes { $0.first == UInt8(ascii: "{") && $0.last == UInt8(ascii: "}") })
            #expect(try await spools[1].list() == [id])
            spools[1].removeLater(id)
            #expect(try await spools[0].read(id, length: 3_000_002, holding: nil).count == 3_000_002, "it may be sent")
            try await pair.stores[0].refuse(id, reason: "no", at: 2_000, answer: nil)
            spools[1].removeLater(id)
            while await code({ () throws(SpoolError) in try await spools[0].read(id, length: 3_000_002, holding: nil) })
                != .missing
            { await Task.yield() }
        }
    }

    @Test func `a body that was changed in the database is never read`() async throws {
        try await with { pair in
            let (spools, id) = (try pair.spools(), pair.ids[0])
            try await pair.begin(id)
            try await spools[0].write(id, [ByteSlice(copying: "{\"a\":1}")])
            #expect(
                await code { () throws(SpoolError) in try await spools[1].read(id, length: 8, holding: nil) }
                    == .damaged)
            _ = try await pair.query("UPDATE blob_chunks SET content = set_byte(content, 2, 98)")
            #expect(
                await code { () throws(SpoolError) in try await spools[1].read(id, length: 7, holding: nil) }
                    == .damaged)
        }
    }

    @Test func `a gateway's start and its sweeps remove only bodies that no task needs`() async throws {
        try await with { pair in
            let (spools, ids) = (try pair.spools(), pair.ids)
            for id in ids[..<2] {
                try await pair.begin(id)
                try await spools[0].write(id, [ByteSlice(copying: "{}")])
            }
            // The first is about to be queued by a gateway that runs; the last has lost its body.
            let recovery = try await spools[1].recover(queued: [ids[1], ids[2]])
            #expect(recovery == Spool.Recovery(kept: [ids[1]], removed: 0, missing: [ids[2]]))
            try await pair.stores[0].refuse(ids[0], reason: "no", at: 2_000, answer: nil)
            await spools[1].sweep()
            #expect(
                await code { () throws(SpoolError) in try await spools[0].read(ids[0], length: 2, holding: nil) }
                    == .missing)
            #expect(try await spools[0].read(ids[1], length: 2, holding: nil).count == 2)
        }
    }

    @Test func `the bounds of the queue are those of all gateways together`() async throws {
        try await with { pair in
            let (spools, ids) = (try pair.spools(tasks: 2, bytes: 100), pair.ids)
            try await spools[0].write(ids[0], [file(60)])
            #expect(
                await code { () throws(SpoolError) in try await spools[1].write(ids[1], [file(61 + 2 * 32)]) }
                    == .noRoom)
            try await spools[1].write(ids[1], [file(40)])
            #expect(await code { () throws(SpoolError) in try await spools[0].write(ids[2], [file(0)]) } == .noRoom)
        }
    }

    @Test func `a create that finds no room in the shared queue is refused like one that finds none in its own`()
        async throws
    {
        struct FullSpool: QueuedBodies {
            func write(_ id: TaskID, _ body: [ByteSlice]) async throws(SpoolError) { throw SpoolError(.noRoom, "") }
            func read(_ id: TaskID, length: Int, holding: (any Sendable)?) async throws(SpoolError) -> ByteSlice {
                throw SpoolError(.missing, "")
            }
            func list() async throws(SpoolError) -> [TaskID] { [] }
            func removeLater(_ id: TaskID) {}
            func recover(queued: Set<TaskID>) async throws(SpoolError) -> Spool.Recovery { Spool.Recovery() }
            func sweep() async {}
        }
        var options = JobFixture.Options()
        options.dispatchWait = .milliseconds(1)
        options.accounts = [account("main", concurrency: 1, hasLookup: true)]
        options.spool = FullSpool()
        try await JobFixture.run(ScriptedKling(), options) { fixture in
            _ = try await fixture.create(fixture.job(1))
            #expect(await fixture.refusal(fixture.job(1))?.cause == .accountsFull)
            #expect(fixture.tasks.ledger.queue?.figures.tasks == 0)
            #expect(try await fixture.store.unfinished(after: nil, limit: 9).count == 1)
        }
    }

    // MARK: Pictures for Kling

    @Test func `a picture of one gateway is served by another under the same link`() async throws {
        try await with { pair in
            let (pictures, id) = (try pair.pictures(), pair.ids[0])
            try await pair.begin(id)
            let picture = try await pictures[0].host(file(2_000_000), format: .webp, for: id)
            let handler = HostedPictureHandler(
                pictures: pictures[1], budget: ByteBudget(capacity: 8 << 20), observer: Silence())
            let answers = try await [picture.name, LinkName.random() + ".webp", "..", "a'b"].mapAll { name in
                try await exchange(Array("GET /pictures/x HTTP/1.1\r\nHost: a\r\n\r\n".utf8)) { request in
                    do throws(GatewayError) {
                        return try await handler.answer(request, name: name, requestID: "r")
                    } catch {
                        return HTTPResponse(status: error.cause.row.status)
                    }
                }
            }
            #expect(answers.map(\.status) == [200, 404, 404, 404])
            #expect(answers[0].body == [UInt8](repeating: 7, count: 2_000_000))
            #expect(answers[0]["content-type"] == "image/webp")
        }
    }

    @Test func `a picture expires after the end of its task or at its maximum age, whoever asks`() async throws {
        try await with { pair in
            let (pictures, ids) = (try pair.pictures(), pair.ids)
            for id in ids[..<2] { try await pair.begin(id, at: pair.time.wall) }
            var hosted: [HostedPicture] = []
            for id in ids { hosted.append(try await pictures[0].host(file(), format: .png, for: id)) }
            func found() async throws -> [Bool] {
                var found: [Bool] = []
                for picture in hosted { found.append(try await pictures[1].find(picture.name) == picture) }
                return found
            }
            #expect(try await found() == [true, true, false], "the last task has no record")
            try await pair.stores[0].refuse(ids[1], reason: "no", at: pair.time.wall, answer: nil)
            pair.time.pass(.seconds(599))
            await pictures[1].expire()
            #expect(try await found() == [true, true, false])
            #expect(pictures[1].figures == HostedPictureFigures(count: 2, bytes: 20))
            pair.time.pass(.seconds(2))
            #expect(try await found() == [true, false, false])
            await pictures[1].expire()
            #expect(pictures[1].figures == HostedPictureFigures(count: 1, bytes: 10))
            pair.time.pass(.seconds(3_000))
            #expect(try await found() == [false, false, false])
            await pictures[0].expire()
            #expect(try await pair.query("SELECT count(*) FROM blobs") == "0")
        }
    }

    @Test func `pictures of ended tasks make room for new ones, and those of open tasks don't`() async throws {
        try await with { pair in
            let (pictures, ids) = (try pair.pictures(bytes: 25), pair.ids)
            for id in ids { try await pair.begin(id, at: pair.time.wall) }
            let first = try await pictures[0].host(file(), format: .png, for: ids[0])
            let second = try await pictures[1].host(file(), format: .png, for: ids[1])
            #expect(
                await code { () throws(SpoolError) in try await pictures[0].host(file(), format: .png, for: ids[2]) }
                    == .full)
            try await pair.stores[0].refuse(ids[1], reason: "no", at: pair.time.wall, answer: nil)
            let third = try await pictures[0].host(file(), format: .png, for: ids[2])
            #expect(try await pictures[0].find(second.name) == nil)
            for kept in [first, third] { #expect(try await pictures[1].find(kept.name) == kept) }
        }
    }

    // MARK: Uploads

    @Test func `an uploaded picture is read through any gateway, by its tenant, for a day`() async throws {
        try await with { pair in
            let assets = try pair.assets()
            let asset = try await assets[0].keep(file(200_000), format: .png, tenant: "shop", now: 0)
            let found = try #require(try await assets[1].find(asset.name, tenant: "shop", now: 86_399_999))
            #expect(found == asset)
            #expect(try await assets[1].read(found, holding: nil).count == 200_000)
            #expect(try await assets[1].find(asset.name, tenant: "other", now: 1) == nil)
            #expect(try await assets[1].find(asset.name, tenant: "shop", now: 86_400_000) == nil)
            await assets[1].expire()
            #expect(await code { () throws(SpoolError) in try await assets[0].read(asset, holding: nil) } == .missing)
        }
    }

    @Test func `a tenant's oldest uploads make room for its newer ones, and then the largest tenant's`() async throws {
        try await with { pair in
            let assets = try pair.assets(AssetBounds(ownCount: 2, ownBytes: 60, bytes: 90))
            var names: [String] = []
            for (time, tenant, count) in [(1, "a", 10), (2, "a", 10), (3, "a", 10), (4, "b", 50), (5, "a", 25)] {
                let store = assets[time % 2]
                let asset = try await store.keep(file(count), format: .png, tenant: tenant, now: Int64(time))
                names.append(asset.name)
            }
            var found: [Bool] = []
            for (name, tenant) in zip(names, ["a", "a", "a", "b", "a"]) {
                found.append(try await assets[0].find(name, tenant: tenant, now: 6) != nil)
            }
            #expect(found == [false, false, true, true, true])
            _ = try await assets[0].keep(file(20), format: .png, tenant: "c", now: 7)
            #expect(try await assets[1].find(names[3], tenant: "b", now: 8) == nil)
            #expect(try await assets[1].find(names[4], tenant: "a", now: 8) != nil)
        }
    }
}

extension Array where Element: Sendable {
    /// Transforms the elements one after another.
    fileprivate func mapAll<Value>(_ body: (Element) async throws -> Value) async throws -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await body(element)) }
        return values
    }
}
