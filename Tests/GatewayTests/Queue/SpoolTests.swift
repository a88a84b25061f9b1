import Base
import Foundation
import TaskStore
import TestKit
import Testing

@testable import Gateway

@Suite(.onEventLoop) struct SpoolTests {
    private let folder: TemporaryFolder
    private let path: String

    init() throws {
        folder = try TemporaryFolder()
        path = folder.path("a/spool")
    }

    private func ids(_ count: Int) -> [TaskID] {
        var ids = TaskIDGenerator()
        return (0..<count).map { ids.next(at: Int64($0 + 1)) }
    }

    private func bytes(_ body: ByteSlice) -> [UInt8] { body.withUnsafeBytes { Array($0) } }

    private func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    private func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }

    @Test func `a body of many pieces is read as it was written`() async throws {
        let spool = try Spool(path)
        let id = ids(1)[0]
        let block = Bytes((0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        // More pieces than one system call takes, including empty ones.
        var body = (0..<3_000).map { ByteSlice(block, $0 * 7..<$0 * 7 + $0 % 5) }
        body.append(ByteSlice(block, 0..<200_000))
        try await spool.write(id, body)
        let expected = body.flatMap { slice in slice.withUnsafeBytes { Array($0) } }
        #expect(bytes(try await spool.read(id, length: expected.count)) == expected)
        #expect(try await spool.list() == [id])
    }

    @Test func `the largest possible body is written and read`() async throws {
        let spool = try Spool(path)
        let id = ids(1)[0]
        let block = Bytes(capacity: 32 << 20)
        block.append { room in
            room.initializeMemory(as: UInt8.self, repeating: 0x5A)
            return room.count
        }
        try await spool.write(id, [ByteSlice(copying: "{"), ByteSlice(block, 0..<block.count)])
        let read = try await spool.read(id, length: block.count + 1)
        #expect(read.count == block.count + 1)
        #expect(read.withUnsafeBytes { $0.first == UInt8(ascii: "{") && $0.last == 0x5A })
    }

    @Test func `only their owner may read the folder and its files`() async throws {
        let spool = try Spool(path)
        let id = ids(1)[0]
        try await spool.write(id, [ByteSlice(copying: "{}")])
        #expect(try mode(path) == 0o700)
        #expect(try mode(path + "/\(id).json") == 0o600)
        #expect(try mode(path + "/.lock") == 0o600)
        #expect(try names() == [".lock", "\(id).json"])
    }

    @Test func `a removed body is gone, and removing it again is not an error`() async throws {
        let spool = try Spool(path)
        let id = ids(1)[0]
        try await spool.write(id, [ByteSlice(copying: "{}")])
        try await spool.remove(id)
        try await spool.remove(id)
        let error = await #expect(throws: SpoolError.self) { try await spool.read(id, length: 2) }
        #expect(error?.code == .missing)
        #expect(try await spool.list().isEmpty)
    }

    @Test func `recovery keeps queued bodies, removes the rest, and reports missing ones`() async throws {
        let ids = ids(4)
        do {
            let first = try Spool(path)
            for id in ids[0...1] { try await first.write(id, [ByteSlice(copying: "{\"a\":1}")]) }
        }
        for name in ["\(ids[2]).part", "README", "not-an-id.json"] { try folder.write("x", to: "a/spool/" + name) }

        let recovery = try await Spool(path).recover(queued: [ids[0], ids[3]])
        #expect(recovery == Spool.Recovery(kept: [ids[0]], removed: 2, missing: [ids[3]]))
        #expect(try names() == [".lock", "README", "\(ids[0]).json", "not-an-id.json"].sorted())
    }

    @Test func `concurrent writes all succeed`() async throws {
        let spool = try Spool(path)
        let ids = ids(60)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for id in ids { group.addTask { try await spool.write(id, [ByteSlice(copying: "\(id)")]) } }
            try await group.waitForAll()
        }
        for id in ids { #expect(bytes(try await spool.read(id, length: 26)) == Array("\(id)".utf8)) }
        #expect(try await spool.list() == ids)
    }

    @Test func `a failed write leaves nothing behind, and a later one succeeds`() async throws {
        let spool = try Spool(path)
        let id = ids(1)[0]
        // A folder in the file's place, which neither a rename nor a removal can replace.
        try FileManager.default.createDirectory(atPath: path + "/\(id).json", withIntermediateDirectories: false)
        let error = await #expect(throws: SpoolError.self) { try await spool.write(id, [ByteSlice(copying: "{}")]) }
        #expect(error?.code == .unavailable)
        #expect(try names() == [".lock", "\(id).json"])
        try FileManager.default.removeItem(atPath: path + "/\(id).json")
        try await spool.write(id, [ByteSlice(copying: "{}")])
        #expect(bytes(try await spool.read(id, length: 2)) == Array("{}".utf8))
    }

    @Test func `the error for a folder that cannot be created says what to do`() throws {
        try folder.write("", to: "file")
        let error = #expect(throws: SpoolError.self) { try Spool(folder.path("file/spool")) }
        #expect(error?.detail.contains(folder.path("file/spool")) == true)
        #expect(error?.detail.contains("queue: off") == true)
    }

    @Test func `a full disk is distinguished from a read-only or failing one`() {
        #expect(SpoolError("cannot write", "/spool/x", errno: ENOSPC).code == .full)
        #expect(SpoolError("cannot write", "/spool/x", errno: EDQUOT).code == .full)
        #expect(SpoolError("cannot write", "/spool/x", errno: EROFS).code == .readOnly)
        #expect(SpoolError("cannot write", "/spool/x", errno: EIO).code == .unavailable)
    }
}
