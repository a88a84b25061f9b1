import Base
import Testing

@testable import Gateway
@testable import TaskStore

struct HostedPictureIndexTests {
    private static let tasks = taskIDs(40)
    private let one = HostedPictureIndexTests.tasks[0]
    private let other = HostedPictureIndexTests.tasks[1]

    private func picture(_ task: TaskID, _ bytes: Int = 10) -> HostedPicture {
        HostedPicture(.jpeg, of: task, bytes: bytes, madeAt: 0)
    }

    private func index(bytes: Int = 90, count: Int = 9) -> HostedPictureIndex {
        var bounds = HostedPictureBounds()
        (bounds.linger, bounds.age, bounds.bytes, bounds.count) = (100, 1_000, bytes, count)
        return HostedPictureIndex(bounds)
    }

    @Test func `a picture is found until its maximum age`() {
        var index = index()
        let picture = picture(one)
        #expect(index.admit(picture, now: 5) == [])
        #expect(index.find(picture.name, now: 5) == picture && index.find(picture.name, now: 1_004) == picture)
        #expect(index.find(picture.name, now: 1_005) == nil)
        #expect(index.expire(now: 1_004) == [])
        #expect(index.expire(now: 1_005) == [picture])
        #expect((index.count, index.bytes) == (0, 0))
    }

    @Test func `a picture lingers once after its task ends, and never beyond its maximum age`() {
        var index = index()
        let (early, late, running) = (picture(one), picture(one), picture(other))
        _ = index.admit(early, now: 0)
        _ = index.admit(late, now: 850)
        _ = index.admit(running, now: 850)
        index.end(of: one, now: 950)
        index.end(of: one, now: 1_040)
        #expect(index.find(early.name, now: 999) == early && index.find(early.name, now: 1_000) == nil)
        #expect(index.find(late.name, now: 1_049) == late && index.find(late.name, now: 1_050) == nil)
        #expect(Set(index.expire(now: 1_050)) == [early, late])
        #expect(index.find(running.name, now: 1_849) == running)
        index.end(of: one, now: 1_100)
        #expect(index.count == 1)
    }

    @Test func `other names find nothing`() {
        var index = index()
        let picture = picture(one)
        _ = index.admit(picture, now: 0)
        let letters = picture.name.dropLast(4)
        for name in ["", "\(letters)", "\(letters).png", "\(letters).JPG", " \(picture.name)", picture.file, "..", "*"]
        {
            #expect(index.find(name, now: 0) == nil, "\(name)")
        }
    }

    @Test func `without room, expired pictures are evicted first, then the oldest of ended tasks`() {
        var index = index(bytes: 50)
        let (lasting, old, young, expired) = (picture(one), picture(other), picture(other), picture(Self.tasks[2]))
        _ = index.admit(lasting, now: 0)
        _ = index.admit(old, now: 1)
        _ = index.admit(young, now: 2)
        _ = index.admit(expired, now: 3)
        index.end(of: Self.tasks[2], now: 3)
        index.end(of: other, now: 50)
        #expect(index.admit(picture(one, 20), now: 103) == [expired])
        #expect(index.admit(picture(one, 10), now: 103) == [old])
        #expect(index.admit(picture(one, 10), now: 103) == [young])
        #expect(index.find(lasting.name, now: 103) == lasting && index.bytes == 50)
    }

    @Test func `if pictures of open tasks leave no room, a new one is refused and none is evicted`() {
        var index = index(bytes: 50)
        let (lasting, ended) = (picture(one, 30), picture(other, 10))
        _ = index.admit(lasting, now: 0)
        _ = index.admit(ended, now: 0)
        index.end(of: other, now: 0)
        #expect(index.admit(picture(one, 21), now: 1) == nil)
        #expect(index.find(ended.name, now: 1) == ended && index.count == 2)
        #expect(index.admit(picture(one, 20), now: 1) == [ended])
        #expect(index.admit(picture(one, 51), now: 1) == nil)
        var few = self.index(count: 1)
        #expect(few.admit(lasting, now: 0) == [])
        #expect(few.admit(ended, now: 0) == nil)
        few.end(of: one, now: 0)
        #expect(few.admit(ended, now: 0) == [lasting])
    }

    @Test func `restored pictures keep their age, even above the limits`() {
        var index = index(bytes: 15)
        let (old, older) = (picture(one), picture(other))
        index.restore(old, madeAt: -900)
        index.restore(older, madeAt: -950)
        #expect(index.bytes == 20)
        #expect(index.admit(picture(one, 1), now: 0) == nil)
        #expect(index.find(old.name, now: 99) == old && index.find(older.name, now: 50) == nil)
        #expect(index.admit(picture(one, 5), now: 50) == [older])
    }

    @Test func `pictures are removed for a whole task or one by one`() {
        var index = index()
        let pictures = [picture(one), picture(one), picture(other)]
        for picture in pictures { _ = index.admit(picture, now: 0) }
        #expect(index.removeAll(of: one) == [pictures[0], pictures[1]])
        #expect(index.removeAll(of: one) == [])
        let removals = (0..<2).map { _ in index.remove(pictures[2]) }
        #expect(removals == [true, false])
        index.end(of: other, now: 0)
        #expect((index.count, index.bytes) == (0, 0))
    }

    @Test(arguments: 1...10)
    func `random events never exceed the bounds or evict an open task's picture early`(seed: Int) {
        var random = SplitMix(state: UInt64(seed))
        var index = index(bytes: 200, count: 12)
        var (known, now): ([(picture: HostedPicture, madeAt: Int64, endedAt: Int64?)], Int64) = ([], 0)
        for _ in 0..<500 {
            now += .random(in: 0...30, using: &random)
            let task = Self.tasks.randomElement(using: &random) ?? one
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                let new = picture(task, .random(in: 1...60, using: &random))
                let gone = index.admit(new, now: now)
                for old in gone ?? [] {
                    let entry = known.first { $0.picture == old }
                    #expect(entry.map { $0.endedAt != nil || now - $0.madeAt >= 1_000 } == true)
                }
                known.removeAll { entry in gone?.contains(entry.picture) == true }
                if gone != nil { known.append((new, now, nil)) }
            case 5..<9:
                index.end(of: task, now: now)
                for position in known.indices where known[position].picture.task == task {
                    known[position].endedAt = known[position].endedAt ?? now
                }
            default:
                let gone = Set(index.expire(now: now))
                #expect(gone == Set(known.filter { isExpired($0.madeAt, $0.endedAt, now) }.map(\.picture)))
                known.removeAll { gone.contains($0.picture) }
            }
            #expect(index.bytes == known.reduce(0) { $0 + $1.picture.bytes } && index.count == known.count)
            #expect(index.bytes <= 200 && index.count <= 12)
            for entry in known {
                let isThere = index.find(entry.picture.name, now: now) != nil
                #expect(isThere != isExpired(entry.madeAt, entry.endedAt, now))
            }
        }
    }

    private func isExpired(_ madeAt: Int64, _ endedAt: Int64?, _ now: Int64) -> Bool {
        now - madeAt >= 1_000 || endedAt.map { now - $0 >= 100 } == true
    }
}

struct HostedPictureTests {
    private static let task = taskIDs(1)[0]

    @Test func `names are unique, and a file name restores its picture`() {
        let pictures = (0..<100).map { _ in
            HostedPicture(.png, of: Self.task, bytes: 7, madeAt: 1_745_376_611_075)
        }
        #expect(Set(pictures.map(\.name)).count == 100)
        for picture in pictures {
            #expect(picture.name.utf8.count == 36 && picture.name == picture.name.lowercased())
            #expect(HostedPicture(file: picture.file, bytes: 7) == picture)
            #expect(HostedPicture(file: picture.draft, bytes: 7) == nil && HostedPicture.isDraft(picture.draft))
            #expect(!HostedPicture.isDraft(picture.file))
        }
    }

    @Test(arguments: [
        (PictureFormat.jpeg, ".jpg", "image/jpeg"), (.png, ".png", "image/png"), (.webp, ".webp", "image/webp"),
    ])
    func `the link and the media type match the picture's format`(format: PictureFormat, end: String, type: String) {
        let picture = HostedPicture(format, of: Self.task, bytes: 7, madeAt: 0)
        #expect(picture.name.hasSuffix(end) && picture.mediaType == type)
        #expect(picture.url(publicURL: "https://a.example/try") == "https://a.example/try/pictures/\(picture.name)")
    }

    @Test func `other file names are not hosted pictures`() {
        let picture = HostedPicture(.jpeg, of: Self.task, bytes: 1, madeAt: 5)
        let (task, name) = ("\(Self.task)", picture.name)
        #expect(HostedPicture(file: "\(task)-5-\(name)", bytes: 1) == picture)
        for file in [
            "", "a-1-b", "gateway.db", ".lock", "\(task)-\(name)", "\(task)-x-\(name)", "\(task)-+5-\(name)",
            "\(task.lowercased())-5-\(name)", "\(task)-5-\(name.uppercased())", "\(task)-5-x\(name)",
            "\(task)-5-\(name)x", "\(task)-5-\(name.dropLast(4)).gif", "\(task)--5-\(name)", "../\(task)-5-\(name)",
        ] { #expect(HostedPicture(file: file, bytes: 1) == nil, "\(file)") }
    }

    @Test(arguments: [
        ("/pictures/abc.jpg", "/pictures/…"), ("/kling/pictures/abc.jpg", "/kling/pictures/…"),
        ("/pictures", "/pictures"), ("/v1/models", "/v1/models"),
    ])
    func `a logged path has no picture name`(path: String, logged: String) {
        #expect(HostedPicture.withheld(from: path) == logged)
    }
}

/// A random number generator with a seed.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
