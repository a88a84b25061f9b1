import Base
import Foundation
import Hashing
import TaskStore
import TestKit
import Testing

@testable import Gateway

extension DataCopyTests {
    /// Makes stores with bodies, and says what gateways find in them.
    struct Fixture {
        /// What a store was filled with.
        struct Made {
            let queued: [TaskID]
            let hosted: [HostedPicture]
            let uploads: [Asset]
        }

        /// What a gateway finds.
        struct Found: Equatable {
            var queued: [TaskID] = []
            var hosted: [HostedPicture] = []
            var uploads: [Asset] = []
            /// Of all bodies.
            var digests: [ContentDigest] = []

            mutating func add(_ body: Bytes?) {
                if let body { digests.append(ContentDigest(of: ByteSlice(body, 0..<body.count))) }
            }
        }

        let folder: TemporaryFolder
        let time = TestClock()

        init() throws { folder = try TemporaryFolder() }

        /// A store in files, whose folders have the names that the gateway gives them.
        func files(_ name: String) -> DataCopy.Place {
            let path = folder.path(name)
            try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            return .sqlite(
                path: "\(path)/gateway.db",
                folders: [.queued: "\(path)/spool", .hosted: "\(path)/pictures", .uploaded: "\(path)/assets"])
        }

        static func database() async throws -> DataCopy.Place {
            .postgres(url: try await PostgresServer.shared.makeDatabase())
        }

        private func with<Value>(
            _ place: DataCopy.Place, _ body: (any TaskStore, Bodies) async throws -> Value
        ) async throws -> Value {
            let (store, bodies) = try await open(place)
            try await bodies.hosted?.recover(from: store)
            let value = try await body(store, bodies)
            await store.close()
            return value
        }

        private func open(_ place: DataCopy.Place) async throws -> (any TaskStore, Bodies) {
            let bounds = HostedPictureBounds()
            switch place {
            case .sqlite(let path, let folders):
                let bodies = try Bodies(
                    spool: folders[.queued], assets: folders[.uploaded] ?? "", pictures: folders[.hosted] ?? "",
                    bounds: bounds, clock: time.guarded)
                return (try SQLiteTaskStore.open(path: path), bodies)
            case .postgres(let url):
                let store = try await blocking { try PostgresTaskStore.open(url: url) }
                let queue = QueueBounds(tasks: 100, bytes: 1 << 30, maxAge: 1)
                let bodies = Bodies(in: try #require(store.blobs), queue: queue, bounds: bounds, clock: time.guarded)
                return (store, bodies)
            }
        }

        private func file(_ count: Int, _ byte: UInt8) -> ByteSlice {
            ByteSlice(Bytes([UInt8](repeating: byte, count: count)), 0..<count)
        }

        /// Makes a store with three queued tasks, and two pictures of each of the other kinds.
        func fill(_ place: DataCopy.Place) async throws -> Made {
            try await with(place) { store, bodies in
                let ids = taskIDs(3)
                var (hosted, uploads): ([HostedPicture], [Asset]) = ([], [])
                for (id, byte) in zip(ids, UInt8(1)...) {
                    try await store.begin(
                        NewTask(id: id, tenant: "shop", assignment: nil, model: "m", createdAt: time.wall))
                    try await bodies.queued?.write(id, [ByteSlice(copying: "{"), file(2_999_999, byte)])
                    _ = try await store.queue(id, payload: 3_000_000, at: time.wall) { _ in
                        StoredAnswer(status: 200, body: [])
                    }
                }
                let (pictures, assets) = (try #require(bodies.hosted), try #require(bodies.uploads))
                for (size, id) in [(2_000_000, ids[0]), (10, ids[1])] {
                    hosted.append(try await pictures.host(file(size, 8), format: .webp, for: id))
                    time.pass(.seconds(1))
                }
                for (size, tenant) in [(1 << 20, "shop"), (0, "other")] {
                    uploads.append(try await assets.keep(file(size, 9), format: .png, tenant: tenant, now: nil))
                    time.pass(.seconds(1))
                }
                return Made(queued: ids, hosted: hosted, uploads: uploads)
            }
        }

        /// Looks for what was made as a gateway does.
        func found(_ made: Made, at place: DataCopy.Place) async throws -> Found {
            try await with(place) { _, bodies in
                var found = Found()
                for id in made.queued {
                    guard let body = try await bodies.queued?.read(id, length: 3_000_000, holding: nil) else {
                        continue
                    }
                    found.queued.append(id)
                    found.digests.append(ContentDigest(of: body))
                }
                for one in made.hosted {
                    guard let picture = try await bodies.hosted?.find(one.name) else { continue }
                    found.hosted.append(picture)
                    found.add(try await bodies.hosted?.read(picture, holding: nil))
                }
                for (one, tenant) in zip(made.uploads, ["shop", "other"]) {
                    guard let asset = try await bodies.uploads?.find(one.name, tenant: tenant, now: nil) else {
                        continue
                    }
                    found.uploads.append(asset)
                    found.add(try await bodies.uploads?.read(asset, holding: nil))
                }
                return found
            }
        }

        /// Makes of a store in files a copy that was interrupted before its end, and changes a byte of a body.
        func unpublish(_ place: DataCopy.Place, damaging kind: BlobKind) throws {
            let path = try #require(place.path)
            try FileManager.default.moveItem(atPath: path, toPath: path + ".copying")
            let folder = URL(filePath: try #require(place.folders[kind]))
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
            for file in names.map({ folder.appending(path: $0) }) {
                var content = try Data(contentsOf: file)
                if content.count < 4 { continue }
                content[3] = 99
                try content.write(to: file)
            }
        }
    }
}

extension DataCopy.Place {
    /// The path of the SQLite file.
    var path: String? {
        guard case .sqlite(let path, _) = self else { return nil }
        return path
    }

    /// The folders of the bodies.
    var folders: [BlobKind: String] {
        guard case .sqlite(_, let folders) = self else { return [:] }
        return folders
    }
}
