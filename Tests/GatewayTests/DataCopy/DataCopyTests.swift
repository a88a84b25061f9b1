import Base
import Foundation
import TaskStore
import TestKit
import Testing

@testable import Gateway

/// Copies of stores with their bodies, between files and PostgreSQL.
@Suite(.onEventLoop, .timeLimit(.minutes(2)), .needsPostgres) struct DataCopyTests {
    private let fixture: Fixture

    init() throws { fixture = try Fixture() }

    private func copy(_ source: DataCopy.Place, _ destination: DataCopy.Place) async throws {
        try await blocking { try DataCopy.run(from: source, to: destination) }
    }

    /// The error of a copy that must fail.
    private func failure(_ source: DataCopy.Place, _ destination: DataCopy.Place) async throws -> StoreError {
        let error = try await blocking { () -> StoreError? in
            do throws(StoreError) {
                try DataCopy.run(from: source, to: destination)
                return nil
            } catch {
                return error
            }
        }
        return try #require(error, "the copy did not fail")
    }

    @Test func `bodies are the same after a copy to PostgreSQL and back`() async throws {
        let (first, last) = (fixture.files("a"), fixture.files("b"))
        let (middle, other) = (try await Fixture.database(), try await Fixture.database())
        let made = try await fixture.fill(first)
        let original = try await fixture.found(made, at: first)
        #expect(original.queued == made.queued)
        #expect(original.hosted == made.hosted && original.uploads == made.uploads)
        for (source, destination) in [(first, middle), (middle, other), (other, last), (last, fixture.files("c"))] {
            try await copy(source, destination)
            #expect(try await fixture.found(made, at: destination) == original)
        }
    }

    @Test func `only bodies that a queued task needs are copied`() async throws {
        let (source, destination) = (fixture.files("a"), fixture.files("b"))
        _ = try await fixture.fill(source)
        let spool = try #require(source.folders[.queued])
        try Data("{}".utf8).write(to: URL(filePath: "\(spool)/\(taskIDs(9)[8]).json"))
        try await copy(source, destination)
        let names = try FileManager.default.contentsOfDirectory(atPath: try #require(destination.folders[.queued]))
        #expect(names.filter { $0.hasSuffix(".json") }.count == 3)
    }

    @Test func `a copy that was interrupted goes on after the bodies that it has`() async throws {
        let source = fixture.files("a")
        let made = try await fixture.fill(source)
        let url = try await PostgresServer.shared.makeDatabase()
        let file = URL(filePath: "\(try #require(source.folders[.queued]))/\(made.queued[2]).json")
        let whole = try Data(contentsOf: file)
        for damaged in [whole.prefix(whole.count / 2), whole.dropLast(40) + [1] + whole.suffix(39)] {
            try damaged.write(to: file)
            let error = try await failure(source, .postgres(url: url))
            #expect(error.code == .corrupt && error.detail.contains("\(made.queued[2])"), "\(error)")
            #expect(PostgresTaskStore.identity(ofStoreAt: url) == nil)
        }
        let rows = "SELECT xmin, name FROM kling_gateway_copying.blobs ORDER BY blob"
        let before = try await PostgresServer.shared.query(rows, in: url).split(separator: "\n")
        #expect(before.count == 2)
        try whole.write(to: file)
        try await copy(source, .postgres(url: url))
        let after = try await PostgresServer.shared.query(
            rows.replacingOccurrences(of: "_copying", with: ""), in: url
        ).split(separator: "\n")
        #expect(after.count == 7 && after.prefix(2) == before[...])
        #expect(
            try await fixture.found(made, at: .postgres(url: url)) == fixture.found(made, at: source))
    }

    @Test func `a body that is damaged in the source's database is named, and not copied`() async throws {
        let url = try await PostgresServer.shared.makeDatabase()
        let made = try await fixture.fill(.postgres(url: url))
        let large = made.uploads[0]
        for (sql, name) in [
            ("UPDATE blob_chunks SET content = set_byte(content, 3, 99)", "the body of \(made.queued[1])"),
            ("DELETE FROM blob_chunks", "the uploaded picture \(large.name)"),
        ] {
            let files = fixture.files(name)
            let blob = name.split(separator: " ").last ?? ""
            let wanted = "(SELECT blob FROM blobs WHERE name = '\(blob)')"
            _ = try await PostgresServer.shared.query(
                "SET search_path = kling_gateway; CREATE TABLE kept AS TABLE blob_chunks; \(sql) WHERE blob = \(wanted)",
                in: url)
            let error = try await failure(.postgres(url: url), files)
            #expect(error.code == .corrupt && error.detail.contains("\(name) in kling_gateway.blobs "), "\(error)")
            #expect(!FileManager.default.fileExists(atPath: try #require(files.path)))
            _ = try await PostgresServer.shared.query(
                "SET search_path = kling_gateway; TRUNCATE blob_chunks; INSERT INTO blob_chunks TABLE kept; DROP TABLE kept",
                in: url)
        }
    }

    @Test func `a queued task without its body is named, and not copied`() async throws {
        let (source, destination) = (fixture.files("a"), fixture.files("b"))
        let made = try await fixture.fill(source)
        let spool = try #require(source.folders[.queued])
        for (lost, number) in [("\(spool)/\(made.queued[1]).json", 1), (spool, 0)] {
            try FileManager.default.removeItem(atPath: lost)
            let error = try await failure(source, destination)
            #expect(error.code == .corrupt, "\(error)")
            #expect(error.detail.contains("\(made.queued[number]) has no body in \(spool)"), "\(error)")
        }
    }

    @Test(arguments: BlobKind.allCases)
    func `a body of the copy that differs is named, and the copy is no store`(kind: BlobKind) async throws {
        let (source, files) = (fixture.files("a"), fixture.files("b"))
        let made = try await fixture.fill(source)
        let url = try await PostgresServer.shared.makeDatabase()
        for copy in [files, .postgres(url: url)] { try await self.copy(source, copy) }
        // As if both copies had been interrupted before their end.
        try fixture.unpublish(files, damaging: kind)
        _ = try await PostgresServer.shared.query(
            """
            ALTER SCHEMA kling_gateway RENAME TO kling_gateway_copying; SET search_path = kling_gateway_copying;
            UPDATE blob_chunks SET content = set_byte(content, 3, 99) FROM blobs WHERE kind = \(kind.rawValue)
            AND blobs.blob = blob_chunks.blob AND chunk = 0 AND length(content) > 3
            """, in: url)
        let name =
            switch kind {
            case .queued: "the body of \(made.queued[0])"
            case .hosted: "the picture for Kling of \(made.hosted[0].task) from \(made.hosted[0].madeAt)"
            case .uploaded: "the uploaded picture \(made.uploads[0].name)"
            }
        for copy in [files, .postgres(url: url)] {
            let error = try await failure(source, copy)
            #expect(error.code == .corrupt && error.detail.contains("the copy of \(name) in "), "\(error)")
            #expect(made.hosted.allSatisfy { !error.detail.contains($0.name) }, "it is a secret")
        }
        #expect(PostgresTaskStore.identity(ofStoreAt: url) == nil)
        #expect(!FileManager.default.fileExists(atPath: try #require(files.path)))
    }

    @Test(arguments: BlobKind.allCases)
    func `bodies of another store are not mixed with those of the copy`(kind: BlobKind) async throws {
        let (source, other) = (fixture.files("a"), fixture.files("b"))
        _ = try await fixture.fill(source)
        _ = try await fixture.fill(other)
        for one in BlobKind.allCases where one != kind {
            try FileManager.default.removeItem(atPath: try #require(other.folders[one]))
        }
        let folder = try #require(other.folders[kind])
        let before = try FileManager.default.contentsOfDirectory(atPath: folder)
        let path = try #require(other.path)
        try FileManager.default.removeItem(atPath: path)
        let error = try await failure(source, other)
        #expect(error.code == .alreadyExists && error.detail.contains(folder), "\(error)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == before.sorted())
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func `a folder that both stores use is left alone`() async throws {
        let (source, plain) = (fixture.files("a"), fixture.files("b"))
        let made = try await fixture.fill(source)
        var folders = plain.folders
        folders[.queued] = source.folders[.queued]
        let destination = DataCopy.Place.sqlite(path: try #require(plain.path), folders: folders)
        try await copy(source, destination)
        #expect(try await fixture.found(made, at: destination).queued == made.queued)
    }

    @Test func `bodies that a gateway uses are not copied`() async throws {
        let source = fixture.files("a")
        _ = try await fixture.fill(source)
        let held = try AssetStore(try #require(source.folders[.uploaded]), clock: fixture.time.guarded)
        #expect(try await failure(source, fixture.files("b")).code == .alreadyServed)
        withExtendedLifetime(held) {}
    }
}
