import Base
import Foundation
import TaskStore
import TestKit
import Testing

@testable import Gateway

/// Damaged bodies, and folders that another gateway uses.
@Suite(.onEventLoop) struct SpoolDamageTests {
    private let folder: TemporaryFolder
    private let path: String
    private let id: TaskID

    private static let body = #"{"human_image":"https://shop.example/person.png"}"#

    init() throws {
        folder = try TemporaryFolder()
        path = folder.path("spool")
        id = try #require(TaskID("01ARZ3NDEKTSV4RRFFQ69G5FAV"))
    }

    private var file: URL { URL(filePath: path + "/\(id).json") }

    /// The ways in which a file is damaged.
    enum Damage: CaseIterable {
        case cutInTheBody, cutInTheSeal, sealGone, cutToNothing, grown, bitOfTheBody, bitOfTheChecksum, bitOfTheLength
        case markGone

        func apply(to file: inout Data) {
            let length = SpoolDamageTests.body.utf8.count
            switch self {
            case .cutInTheBody: file = file.prefix(20)
            case .cutInTheSeal: file = file.dropLast(1)
            case .sealGone: file = file.prefix(length - 1)
            case .cutToNothing: file = Data()
            case .grown: file.append(0x20)
            case .bitOfTheBody: file[7] ^= 0x10
            case .bitOfTheChecksum: file[file.count - 1] ^= 1
            case .bitOfTheLength: file[length + 15] ^= 1
            case .markGone: file[length] ^= 1
            }
        }
    }

    @Test(arguments: Damage.allCases)
    func `a damaged body is never read`(_ damage: Damage) async throws {
        let spool = try Spool(path)
        try await spool.write(id, [ByteSlice(copying: Self.body)])
        var content = try Data(contentsOf: file)
        damage.apply(to: &content)
        try content.write(to: file)
        let error = await #expect(throws: SpoolError.self) {
            try await spool.read(id, length: Self.body.utf8.count)
        }
        #expect(error?.code == .damaged)
        let detail = try #require(error?.detail)
        #expect(detail.contains(file.path) && detail.contains("found") && detail.contains("expected"))
    }

    @Test func `a body whose length differs from its record is refused`() async throws {
        let spool = try Spool(path)
        try await spool.write(id, [ByteSlice(copying: Self.body)])
        let error = await #expect(throws: SpoolError.self) { try await spool.read(id, length: 3) }
        #expect(error?.code == .damaged)
    }

    @Test func `a body that the previous version wrote is checked by its length`() async throws {
        let spool = try Spool(path)
        try Data(Self.body.utf8).write(to: file)
        let read = try await spool.read(id, length: Self.body.utf8.count)
        #expect(read.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } == Self.body)
        try Data(Self.body.utf8.dropLast()).write(to: file)
        let error = await #expect(throws: SpoolError.self) {
            try await spool.read(id, length: Self.body.utf8.count)
        }
        #expect(error?.code == .damaged)
    }

    @Test func `a spool is locked by one gateway until it is released`() throws {
        do {
            let first = try Spool(path)
            let error = try #require(throws: SpoolError.self) { try Spool(path) }
            #expect(error.code == .inUse && error.detail.contains(path + "/.lock"))
            #expect(error.detail.contains("Set `spool`"))
            withExtendedLifetime(first) {}
        }
        _ = try Spool(path)
    }

    @Test func `a folder of uploaded pictures is locked by one gateway`() throws {
        let first = try AssetStore(path, clock: GuardedClock())
        let error = try #require(throws: SpoolError.self) { try AssetStore(path, clock: GuardedClock()) }
        #expect(error.code == .inUse && error.detail.contains(path) && error.detail.contains("store of its own"))
        withExtendedLifetime(first) {}
    }
}
