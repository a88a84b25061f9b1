import Base
import Foundation
import Pictures
import Synchronization
import TestKit
import Testing

@testable import Gateway
@testable import TaskStore

@Suite(.onEventLoop) struct HostedPicturesTests {
    private static let minute: Int64 = 60_000
    private static let years: Int64 = 401 * 86_400_000

    private let folder: TemporaryFolder
    private let task = taskIDs(1)[0]

    init() throws {
        folder = try TemporaryFolder()
    }

    private func pictures(_ clock: GuardedClock = GuardedClock(), bytes: Int = 1 << 20) throws -> HostedPictures {
        var bounds = HostedPictureBounds()
        bounds.bytes = bytes
        return try HostedPictures(folder.path("a/pictures"), bounds: bounds, clock: clock)
    }

    private func files() throws -> Set<String> {
        Set(try FileManager.default.contentsOfDirectory(atPath: folder.path("a/pictures"))).subtracting([".lock"])
    }

    private func file(_ count: Int = 10, _ byte: UInt8 = 7) -> ByteSlice {
        ByteSlice(Bytes([UInt8](repeating: byte, count: count)), 0..<count)
    }

    private func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: folder.path(path))[.posixPermissions] as? Int
    }

    @Test func `a picture is found by its name, in a file that only its owner may read`() async throws {
        let pictures = try pictures()
        let picture = try await pictures.host(file(200_000), format: .webp, for: task)
        #expect(pictures.find(picture.name) == picture)
        #expect(try await pictures.read(picture).withUnsafeBytes { Array($0) } == [UInt8](repeating: 7, count: 200_000))
        #expect(try files() == [picture.file])
        #expect(try mode("a/pictures/\(picture.file)") == 0o600 && mode("a/pictures") == 0o700)
        #expect(pictures.figures == HostedPictureFigures(count: 1, bytes: 200_000))
        #expect(throws: SpoolError.self) { try self.pictures() }
    }

    @Test func `an expired picture is deleted, after the end of its task or at its maximum age`() async throws {
        let time = TestClock()
        let pictures = try pictures(time.guarded)
        let ended = try await pictures.host(file(), format: .jpeg, for: task)
        let open = try await pictures.host(file(), format: .jpeg, for: taskIDs(1)[0])
        pictures.end(of: task)
        time.pass(.seconds(599))
        pictures.expire()
        #expect(pictures.find(ended.name) != nil && pictures.find(open.name) != nil)
        time.pass(.seconds(1))
        #expect(pictures.find(ended.name) == nil)
        pictures.expire()
        while try files() != [open.file] { await Task.yield() }
        time.pass(.seconds(3000))
        #expect(pictures.find(open.name) == nil)
        pictures.expire()
        while try !files().isEmpty { await Task.yield() }
    }

    @Test(arguments: [years, -years, 2 * 60 * minute])
    func `a wall clock jump neither removes a picture early nor keeps it longer`(jump: Int64) async throws {
        let time = TestClock()
        let pictures = try pictures(time.guarded)
        let before = try await pictures.host(file(), format: .jpeg, for: task)
        time.wallOffset.store(jump, ordering: .relaxed)
        time.pass(.seconds(1800))
        pictures.expire()
        let after = try await pictures.host(file(), format: .jpeg, for: task)
        #expect(pictures.find(before.name) == before)
        time.pass(.seconds(1799))
        #expect(pictures.find(before.name) == before)
        time.pass(.seconds(1))
        #expect(pictures.find(before.name) == nil && pictures.find(after.name) == after)
        time.wallOffset.store(0, ordering: .relaxed)
        time.pass(.seconds(1800))
        #expect(pictures.find(after.name) == nil)
    }

    @Test func `a picture without room is refused, and a discarded one is removed at once`() async throws {
        let pictures = try pictures(bytes: 25)
        let first = try await pictures.host(file(), format: .jpeg, for: task)
        _ = try await pictures.host(file(), format: .jpeg, for: task)
        let error = await #expect(throws: SpoolError.self) {
            _ = try await pictures.host(file(), format: .jpeg, for: task)
        }
        #expect(error?.code == .full)
        #expect(GatewayError(hosting: error ?? SpoolError(.missing, ""), Silence()).cause.row.status == 503)
        pictures.discard(of: task)
        #expect(pictures.find(first.name) == nil && pictures.figures.count == 0)
        while try !files().isEmpty { await Task.yield() }
        _ = try await pictures.host(file(), format: .jpeg, for: task)
    }

    @Test func `errors never contain a picture's name`() async throws {
        let pictures = try pictures()
        let picture = try await pictures.host(file(), format: .jpeg, for: task)
        let path = folder.path("a/pictures/\(picture.file)")
        try FileManager.default.removeItem(atPath: path)
        let missing = await #expect(throws: SpoolError.self) { _ = try await pictures.read(picture) }
        #expect(missing?.code == .missing)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        let broken = await #expect(throws: SpoolError.self) { _ = try await pictures.read(picture) }
        #expect(broken?.code == .unavailable)
        let store = try SQLiteTaskStore.open(path: folder.path("gateway.db"))
        let unreadable = await #expect(throws: SpoolError.self) { try await pictures.recover(from: store) }
        for error in [missing, broken, unreadable] {
            #expect(error?.detail.contains(picture.name) == false && error?.detail.contains("…") == true)
        }
    }

    // MARK: Across a restart

    /// Runs `body` with two unfinished tasks and one that has ended, and with their clock.
    private func run(
        _ body: @escaping @Sendable (JobFixture, TestClock, _ tasks: [TaskRecord]) async throws -> Void
    ) async throws {
        let time = TestClock()
        var options = JobFixture.Options()
        options.clock = time.guarded
        try await JobFixture.run(ScriptedKling(), options) { fixture in
            var tasks: [TaskRecord] = []
            for _ in 0..<3 { tasks.append(try await fixture.create(fixture.job(1)).tasks[0]) }
            try await fixture.hear("succeed", of: tasks[2])
            try await body(fixture, time, tasks)
        }
    }

    @Test func `a restart keeps pictures of open tasks, lets others linger, and removes the rest`() async throws {
        try await run { fixture, time, tasks in
            var hosted: [HostedPicture] = []
            do {
                let pictures = try pictures(time.guarded)
                for task in tasks.map(\.id) + [task] {
                    hosted.append(try await pictures.host(file(), format: .png, for: task))
                }
            }
            _ = try folder.write("x", to: "a/pictures/\(hosted[0].draft)")
            _ = try folder.write("x", to: "a/pictures/notes.txt")
            let pictures = try pictures(time.guarded)
            #expect(pictures.find(hosted[0].name) == nil, "nothing is known of it yet")
            try await pictures.recover(from: fixture.store)
            #expect(hosted.map { pictures.find($0.name) != nil } == [true, true, true, false])
            #expect(pictures.figures == HostedPictureFigures(count: 3, bytes: 30))
            while try files() != Set(hosted[..<3].map(\.file) + ["notes.txt"]) { await Task.yield() }
            #expect(try await pictures.read(hosted[1]).count == 10)
            time.pass(.seconds(600))
            #expect(hosted.map { pictures.find($0.name) != nil } == [true, true, false, false])
        }
    }

    @Test(arguments: [0, years, -years, 2 * 60 * minute])
    func `a picture keeps its age across a restart, whatever the clock says`(jump: Int64) async throws {
        try await run { fixture, time, tasks in
            let picture = try await pictures(time.guarded).host(file(), format: .png, for: tasks[0].id)
            time.pass(.seconds(1800))
            try await fixture.store.clock.keep(fixture.tasks.clock.believed)
            time.wallOffset.store(jump, ordering: .relaxed)
            let clock = time.guarded
            try await clock.resume(from: fixture.store)
            let again = try pictures(clock)
            try await again.recover(from: fixture.store)
            time.pass(.seconds(1799))
            #expect(again.find(picture.name) == picture)
            time.pass(.seconds(1))
            #expect(again.find(picture.name) == nil)
        }
    }

    @Test func `a picture dated years ahead is kept no longer than others`() async throws {
        try await run { fixture, time, tasks in
            let ahead = HostedPicture(.jpeg, of: tasks[0].id, bytes: 1, madeAt: time.wall + Self.years)
            let past = HostedPicture(.jpeg, of: tasks[0].id, bytes: 1, madeAt: time.wall - 61 * Self.minute)
            let pictures = try pictures(time.guarded)
            for picture in [ahead, past] { _ = try folder.write("x", to: "a/pictures/\(picture.file)") }
            try await pictures.recover(from: fixture.store)
            #expect(pictures.find(ahead.name) == ahead && pictures.find(past.name) == nil)
            time.pass(.seconds(3600))
            #expect(pictures.find(ahead.name) == nil)
        }
    }

    @Test func `a task's pictures expire after its end is observed`() async throws {
        let time = TestClock()
        var options = JobFixture.Options()
        let pictures = try pictures(time.guarded)
        (options.clock, options.hosted) = (time.guarded, pictures)
        try await JobFixture.run(ScriptedKling(), options) { fixture in
            var tasks: [TaskRecord] = []
            for _ in 0..<2 { tasks.append(try await fixture.create(fixture.job(1)).tasks[0]) }
            var hosted: [HostedPicture] = []
            for task in tasks { hosted.append(try await pictures.host(file(), format: .png, for: task.id)) }
            try await fixture.hear("failed", of: tasks[1])
            time.pass(.seconds(600))
            #expect(hosted.map { pictures.find($0.name) != nil } == [true, false])
        }
    }
}
