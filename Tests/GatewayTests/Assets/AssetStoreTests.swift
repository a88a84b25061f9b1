import Base
import Foundation
import TestKit
import Testing

@testable import Gateway

@Suite(.onEventLoop) struct AssetStoreTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func store(_ bounds: AssetBounds = AssetBounds(), now: Int64 = 0) throws -> AssetStore {
        try AssetStore(folder.path("a/assets"), bounds: bounds, now: now)
    }

    private func files() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path("a/assets")).sorted()
    }

    private func picture(_ count: Int, _ byte: UInt8 = 7) -> ByteSlice {
        ByteSlice(Bytes([UInt8](repeating: byte, count: count)), 0..<count)
    }

    /// The bytes that a tenant reads of a picture; nil if it is not found.
    private func read(_ name: String, _ tenant: String, _ store: AssetStore, now: Int64 = 1) async throws -> [UInt8]? {
        guard let asset = store.find(name, tenant: tenant, now: now) else { return nil }
        return try await store.read(asset).withUnsafeBytes { Array($0) }
    }

    @Test func `a picture is readable only by its tenant, before and after a restart`() async throws {
        let asset = try await store().keep(picture(200_000), format: .png, tenant: "shop", now: 0)
        #expect(try files() == [".lock", asset.file])
        for now in [1, 5] as [Int64] {
            let store = try store(now: now)
            #expect(try await read(asset.name, "shop", store) == [UInt8](repeating: 7, count: 200_000))
            #expect(try await read(asset.name, "other", store) == nil)
            #expect(store.figures == (1, 200_000))
        }
        let mode = try FileManager.default.attributesOfItem(atPath: folder.path("a/assets/\(asset.file)"))
        #expect(mode[.posixPermissions] as? Int == 0o600)
    }

    @Test func `a restart removes assets that are expired, half written or above the limit`() async throws {
        let bounds = AssetBounds(lifetime: 100, ownCount: 2)
        var assets: [Asset] = []
        do {
            let store = try store(bounds)
            for time in [0, 50, 60, 70] as [Int64] {
                assets.append(try await store.keep(picture(10), format: .jpeg, tenant: "shop", now: time))
            }
            #expect(try await read(assets[1].name, "shop", store, now: 71) == nil)
            #expect(try await read(assets[2].name, "shop", store, now: 71) != nil)
        }
        _ = try folder.write("x", to: "a/assets/\(assets[0].draft)")
        _ = try folder.write("x", to: "a/assets/notes.txt")
        let again = try self.store(bounds, now: 165)
        #expect(try files() == [".lock", assets[3].file, "notes.txt"].sorted())
        #expect(again.figures == (1, 10))
    }

    @Test func `reading an asset whose file was deleted fails as missing`() async throws {
        let store = try store()
        let asset = try await store.keep(picture(10), format: .jpeg, tenant: "shop", now: 0)
        try FileManager.default.removeItem(atPath: folder.path("a/assets/\(asset.file)"))
        let error = await #expect(throws: SpoolError.self) { _ = try await store.read(asset) }
        #expect(error?.code == .missing)
    }
}
