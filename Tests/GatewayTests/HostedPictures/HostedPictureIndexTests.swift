import Base
import Testing

@testable import Gateway
@testable import TaskStore

struct HostedPictureBooksTests {
    private static let tasks = taskIDs(40)
    private let one = HostedPictureBooksTests.tasks[0]
    private let other = HostedPictureBooksTests.tasks[1]

    private func picture(_ task: TaskID, _ bytes: Int = 10) -> HostedPicture {
        HostedPicture(.jpeg, of: task, bytes: bytes, madeAt: 0)
    }

    private func books(bytes: Int = 90, count: Int = 9) -> HostedPictureIndex {
        var bounds = HostedPictureBounds()
        (bounds.linger, bounds.age, bounds.bytes, bounds.count) = (100, 1_000, bytes, count)
        return HostedPictureIndex(bounds)
    }

    @Test func `a picture is there until its age is over, whatever becomes of its task`() {
        var books = books()
        let picture = picture(one)
        #expect(books.admit(picture, now: 5) == [])
        #expect(books.find(picture.name, now: 5) == picture && books.find(picture.name, now: 1_004) == picture)
        #expect(books.find(picture.name, now: 1_005) == nil)
        #expect(books.expire(now: 1_004) == [])
        #expect(books.expire(now: 1_005) == [picture])
        #expect((books.count, books.bytes) == (0, 0))
    }

    @Test func `after the end of its task it lingers, once and never beyond its age`() {
        var books = books()
        let (early, late, running) = (picture(one), picture(one), picture(other))
        _ = books.admit(early, now: 0)
        _ = books.admit(late, now: 850)
        _ = books.admit(running, now: 850)
        books.end(of: one, now: 950)
        books.end(of: one, now: 1_040)
        #expect(books.find(early.name, now: 999) == early && books.find(early.name, now: 1_000) == nil)
        #expect(books.find(late.name, now: 1_049) == late && books.find(late.name, now: 1_050) == nil)
        #expect(Set(books.expire(now: 1_050)) == [early, late])
        #expect(books.find(running.name, now: 1_849) == running)
        books.end(of: one, now: 1_100)
        #expect(books.count == 1)
    }

    @Test func `other names find nothing`() {
        var books = books()
        let picture = picture(one)
        _ = books.admit(picture, now: 0)
        let letters = picture.name.dropLast(4)
        for name in ["", "\(letters)", "\(letters).png", "\(letters).JPG", " \(picture.name)", picture.file, "..", "*"]
        {
            #expect(books.find(name, now: 0) == nil, "\(name)")
        }
    }

    @Test func `when room is short, what is over goes first, then the oldest whose tasks have ended`() {
        var books = books(bytes: 50)
        let (lasting, old, young, over) = (picture(one), picture(other), picture(other), picture(Self.tasks[2]))
        _ = books.admit(lasting, now: 0)
        _ = books.admit(old, now: 1)
        _ = books.admit(young, now: 2)
        _ = books.admit(over, now: 3)
        books.end(of: Self.tasks[2], now: 3)
        books.end(of: other, now: 50)
        #expect(books.admit(picture(one, 20), now: 103) == [over])
        #expect(books.admit(picture(one, 10), now: 103) == [old])
        #expect(books.admit(picture(one, 10), now: 103) == [young])
        #expect(books.find(lasting.name, now: 103) == lasting && books.bytes == 50)
    }

    @Test func `where pictures of open tasks leave no room, the new one is refused, and nothing goes`() {
        var books = books(bytes: 50)
        let (lasting, ended) = (picture(one, 30), picture(other, 10))
        _ = books.admit(lasting, now: 0)
        _ = books.admit(ended, now: 0)
        books.end(of: other, now: 0)
        #expect(books.admit(picture(one, 21), now: 1) == nil)
        #expect(books.find(ended.name, now: 1) == ended && books.count == 2)
        #expect(books.admit(picture(one, 20), now: 1) == [ended])
        #expect(books.admit(picture(one, 51), now: 1) == nil)
        var few = self.books(count: 1)
        #expect(few.admit(lasting, now: 0) == [])
        #expect(few.admit(ended, now: 0) == nil)
        few.end(of: one, now: 0)
        #expect(few.admit(ended, now: 0) == [lasting])
    }

    @Test func `what an earlier life has left goes on ageing, also where there is no room for it`() {
        var books = books(bytes: 15)
        let (old, older) = (picture(one), picture(other))
        books.restore(old, madeAt: -900)
        books.restore(older, madeAt: -950)
        #expect(books.bytes == 20)
        #expect(books.admit(picture(one, 1), now: 0) == nil)
        #expect(books.find(old.name, now: 99) == old && books.find(older.name, now: 50) == nil)
        #expect(books.admit(picture(one, 5), now: 50) == [older])
    }

    @Test func `all of a task's pictures are taken out at once, and one by one`() {
        var books = books()
        let pictures = [picture(one), picture(one), picture(other)]
        for picture in pictures { _ = books.admit(picture, now: 0) }
        #expect(books.removeAll(of: one) == [pictures[0], pictures[1]])
        #expect(books.removeAll(of: one) == [])
        let removals = (0..<2).map { _ in books.remove(pictures[2]) }
        #expect(removals == [true, false])
        books.end(of: other, now: 0)
        #expect((books.count, books.bytes) == (0, 0))
    }

    @Test(arguments: 1...10)
    func `whatever happens, the bounds are kept and no open task's picture goes before its time`(seed: Int) {
        var random = SplitMix(state: UInt64(seed))
        var books = books(bytes: 200, count: 12)
        var (known, now): ([(picture: HostedPicture, madeAt: Int64, endedAt: Int64?)], Int64) = ([], 0)
        for _ in 0..<500 {
            now += .random(in: 0...30, using: &random)
            let task = Self.tasks.randomElement(using: &random) ?? one
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                let new = picture(task, .random(in: 1...60, using: &random))
                let gone = books.admit(new, now: now)
                for old in gone ?? [] {
                    let entry = known.first { $0.picture == old }
                    #expect(entry.map { $0.endedAt != nil || now - $0.madeAt >= 1_000 } == true)
                }
                known.removeAll { entry in gone?.contains(entry.picture) == true }
                if gone != nil { known.append((new, now, nil)) }
            case 5..<9:
                books.end(of: task, now: now)
                for index in known.indices where known[index].picture.task == task {
                    known[index].endedAt = known[index].endedAt ?? now
                }
            default:
                let gone = Set(books.expire(now: now))
                #expect(gone == Set(known.filter { isOver($0.madeAt, $0.endedAt, now) }.map(\.picture)))
                known.removeAll { gone.contains($0.picture) }
            }
            #expect(books.bytes == known.reduce(0) { $0 + $1.picture.bytes } && books.count == known.count)
            #expect(books.bytes <= 200 && books.count <= 12)
            for entry in known {
                let isThere = books.find(entry.picture.name, now: now) != nil
                #expect(isThere != isOver(entry.madeAt, entry.endedAt, now))
            }
        }
    }

    private func isOver(_ madeAt: Int64, _ endedAt: Int64?, _ now: Int64) -> Bool {
        now - madeAt >= 1_000 || endedAt.map { now - $0 >= 100 } == true
    }
}

struct HostedPictureTests {
    private static let task = taskIDs(1)[0]

    @Test func `names cannot be guessed, and files tell all that is known`() {
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
    func `the link says what the picture is`(format: PictureFormat, end: String, type: String) {
        let picture = HostedPicture(format, of: Self.task, bytes: 7, madeAt: 0)
        #expect(picture.name.hasSuffix(end) && picture.mediaType == type)
        #expect(picture.url(publicURL: "https://a.example/try") == "https://a.example/try/pictures/\(picture.name)")
    }

    @Test func `other files are no hosted pictures`() {
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
    func `the log has paths of no route without names`(path: String, logged: String) {
        #expect(HostedPicture.withheld(from: path) == logged)
    }
}

/// Random numbers that a seed repeats.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
