import Foundation
import Testing

@testable import TestKit

/// A power cut loses what was not synced, and nothing else.
struct PowerCutTests {
    /// A watched folder, and a program that writes to it.
    private final class Disk: Sendable {
        let folder: TemporaryFolder
        let cut: PowerCut
        private let program: TemporaryFolder

        init() async throws {
            folder = try TemporaryFolder()
            program = try TemporaryFolder()
            cut = try await PowerCut(watching: folder.url)
            let source = PowerCut.sources.appending(path: "writer.c").path
            try await blocking { [program] in
                try CCompiler.makeProgram(of: [source], at: program.path("writer"))
            }
        }

        /// Runs the program with steps, which `writer.c` lists, until it kills itself.
        func write(_ steps: [String], ignoringSyncs: Bool = false) async throws {
            var environment = cut.environment
            if ignoringSyncs { environment.merge(PowerCut.ignoringSyncs) { own, _ in own } }
            let outcome = try await Program(
                program.path("writer"), [folder.path("")] + steps, environment: environment
            ).end()
            guard outcome.status == SIGKILL else { throw TestKitError("the writer failed: \(outcome.errors)") }
        }

        /// Writes steps separated by spaces.
        func write(_ steps: String) async throws { try await write(steps.split(separator: " ").map(String.init)) }

        @discardableResult
        func lose(seed: UInt64 = 1, _ severity: PowerCut.Severity = .whole) throws -> PowerCut.Losses {
            try cut.apply(Dice(seed: seed, "cut"), severity: severity)
        }

        /// The letters of a file, one per 512 bytes; nil if it doesn't exist.
        func letters(_ name: String) -> String? {
            guard let data = try? Data(contentsOf: folder.url.appending(path: name)) else { return nil }
            return stride(from: 0, to: data.count, by: 512).map { start in
                let sector = Set(data[start..<min(start + 512, data.count)])
                guard sector.count == 1, let byte = sector.first else { return "?" }
                return byte == 0 ? "0" : String(UnicodeScalar(byte))
            }.joined()
        }

        func size(_ name: String) -> Int? { (try? Data(contentsOf: folder.url.appending(path: name)))?.count }
    }

    /// A hundred records of a sector each.
    private static let records = (0..<100).map { "write=\($0 * 512),512,r" }

    @Test func `of a hundred records, those that were not synced may be lost, and those that were synced are there`()
        async throws
    {
        let disk = try await Disk()
        var counts: [Int] = []
        for seed in 0..<12 as Range<UInt64> {
            try await disk.write(["open=\(seed)"] + Self.records + ["sync-folder=."])
            try disk.lose(seed: seed, .random)
            counts.append(disk.letters("\(seed)")?.count { $0 == "r" } ?? 0)
        }
        #expect(counts.contains(0) && counts.contains(100))
        #expect(counts.contains { (1...99).contains($0) })

        try await disk.write(["open=synced"] + Self.records.flatMap { [$0, "fdatasync"] } + ["sync-folder=."])
        let losses = try disk.lose()
        #expect(disk.letters("synced") == String(repeating: "r", count: 100))
        #expect(losses == PowerCut.Losses())
    }

    @Test func `records are lost if syncs are ignored`() async throws {
        let disk = try await Disk()
        let steps = ["open=a"] + Self.records + ["fdatasync", "sync-folder=."]
        try await disk.write(steps, ignoringSyncs: true)
        let losses = try disk.lose()
        #expect(disk.letters("a") == nil)
        #expect(losses.names == 1)
    }

    @Test func `the content and size are those of the last sync`() async throws {
        let disk = try await Disk()
        try await disk.write(
            "open=a write=0,2048,a fsync sync-folder=. write=512,512,b write=700,100,c write=1024,4096,d size=9000")
        let losses = try disk.lose()
        #expect(disk.letters("a") == "aaaa")
        #expect(losses.atRisk == 4 && losses.cutOff == 9000 - 2048)

        try await disk.write("open=a size=600 write=1024,512,e")
        try disk.lose()
        #expect(disk.letters("a") == "aaaa" && disk.size("a") == 2048)
        try await disk.write("cut=a write=0,512,f")
        try disk.lose()
        #expect(disk.letters("a") == "aaaa")
        try await disk.write("cut=a write=0,512,f fdatasync write=512,512,g")
        try disk.lose()
        #expect(disk.letters("a") == "f")
    }

    @Test func `a kill without a cut loses nothing, and the next cut may lose what was written before it`() async throws
    {
        let disk = try await Disk()
        try await disk.write("open=a write=0,512,a fsync sync-folder=. write=0,512,b")
        try await disk.write("open=a write=512,512,c")
        #expect(disk.letters("a") == "bc")
        try disk.lose()
        #expect(disk.letters("a") == "a")
    }

    @Test func `a synchronous write is safe by itself, and those around it are not`() async throws {
        let disk = try await Disk()
        try await disk.write("open=a write=0,12288,a fsync sync-folder=.")
        try await disk.write("open=a write=0,4096,b write=8192,4096,b dsync=a write=4096,512,c open=a size=20480")
        try disk.lose()
        #expect(disk.letters("a") == "aaaaaaaacaaaaaaaaaaaaaaa")
        try await disk.write("open=a size=20480 dsync=a write=12288,512,d")
        try disk.lose()
        #expect(disk.letters("a") == "aaaaaaaacaaaaaaaaaaaaaaad")
    }

    @Test func `names are those of the last sync of their folder`() async throws {
        let disk = try await Disk()
        try await disk.write(
            "open=a write=0,512,a fsync open=b write=0,512,b fsync open=c write=0,512,c fsync sync-folder=.")
        let changes = "rename=a,b remove=c open=d write=0,512,d fsync folder=e open=e/f fsync sync-folder=e"
        try await disk.write(changes)
        let losses = try disk.lose()
        #expect(["a", "b", "c", "d", "e", "e/f"].map(disk.letters) == ["a", "b", "c", nil, nil, nil])
        #expect(losses.names == 4)

        try await disk.write(changes + " sync-folder=. remove=b")
        try disk.lose()
        #expect(["a", "b", "c", "d", "e/f"].map(disk.letters) == [nil, "a", nil, "d", ""])
    }

    @Test func `memory that connections share is gone after a cut`() async throws {
        let disk = try await Disk()
        try await disk.write("open=a.db-shm write=0,4096,s map open=a.db fsync sync-folder=.")
        #expect(try disk.lose() == PowerCut.Losses())
        #expect(disk.letters("a.db-shm") == nil && disk.letters("a.db") == "")
    }

    @Test(arguments: ["open=a write=0,4096,a map", "stdio=a"])
    func `a program that writes in a way that is not modeled gets no cut`(steps: String) async throws {
        let disk = try await Disk()
        try await disk.write(steps)
        #expect(throws: UndoLog.Complaint.self) { try disk.lose() }
    }

    @Test func `a sector has its content from after one of its writes, and a last record that is cut does no harm`()
        async throws
    {
        let disk = try await Disk()
        try await disk.write("open=a write=0,16384,0 fsync sync-folder=.")
        var (lost, kept) = (0, 0)
        for seed in 0..<10 as Range<UInt64> {
            var dice = Dice(seed: seed, "writes")
            var possible = (disk.letters("a") ?? "").map { Set([$0]) }
            var steps = ["open=a"]
            for letter in "abcdefghijklmnopqrstuvwxyz" {
                let first = Int.random(in: 0..<28, using: &dice)
                let count = Int.random(in: 1...4, using: &dice)
                steps.append("write=\(first * 512),\(count * 512),\(letter)")
                for sector in first..<first + count { possible[sector].insert(letter) }
                guard letter == "m" else { continue }
                steps.append("fdatasync")
                let latest = Self.latest(steps, sectors: possible.count)
                for (sector, letter) in latest { possible[sector] = [letter] }
            }
            try await disk.write(steps)
            let before = Array(disk.letters("a") ?? "")
            try disk.lose(seed: seed, .random)
            let after = Array(disk.letters("a") ?? "")
            #expect(after.count == possible.count)
            #expect(zip(after, possible).allSatisfy { $1.contains($0) }, "seed \(seed): \(String(after))")
            lost += zip(before, after).count { $0 != $1 }
            kept += zip(before, after).count { $0 == $1 }
        }
        #expect(lost > 0 && kept > 0)

        let whole = Data([UInt8](repeating: 0, count: 63))
        #expect(try UndoLog(whole).records.isEmpty)
    }

    /// The letter that the last write of each sector has put there.
    private static func latest(_ steps: [String], sectors: Int) -> [Int: Character] {
        var latest: [Int: Character] = [:]
        for step in steps where step.hasPrefix("write=") {
            let parts = step.dropFirst(6).split(separator: ",")
            let (offset, length) = (Int(parts[0]) ?? 0, Int(parts[1]) ?? 0)
            for sector in offset / 512..<(offset + length) / 512 { latest[sector] = parts[2].first }
        }
        return latest
    }
}
