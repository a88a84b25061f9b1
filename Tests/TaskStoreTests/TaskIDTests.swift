import TaskStore
import Testing

@Suite struct TaskIDTests {
    @Test func `the text of an id reads back as the id`() throws {
        var generator = TaskIDGenerator()
        for time in [0, 1, 1_781_080_794_151, 1 << 48 - 1] as [Int64] {
            let id = generator.next(at: time)
            #expect(id.milliseconds == time && id.description.utf8.count == 26)
            #expect(TaskID(id.description) == id)
            #expect(TaskID(id.description.lowercased()) == id)
        }
    }

    @Test(arguments: [
        "", "01ARZ3NDEKTSV4RRFFQ69G5FA", "01ARZ3NDEKTSV4RRFFQ69G5FAVA", "81ARZ3NDEKTSV4RRFFQ69G5FAV",
        "01ARZ3NDEKTSV4RRFFQ69G5FAU", "01ARZ3NDEKTSV4RRFFQ69G5FA-", "01ARZ3NDEKTSV4RRFFQ69G5FÄ",
    ])
    func `a malformed text is not an id`(_ text: String) {
        #expect(TaskID(text) == nil)
    }

    @Test func `the specification's example is read with its time`() {
        #expect(TaskID("01ARZ3NDEKTSV4RRFFQ69G5FAV")?.milliseconds == 1_469_922_850_259)
        #expect(TaskID("7ZZZZZZZZZZZZZZZZZZZZZZZZZ")?.milliseconds == 1 << 48 - 1)
    }

    @Test func `ids increase within a millisecond, also as text and when the clock steps back`() {
        var generator = TaskIDGenerator()
        let ids = (0..<10_000).map { generator.next(at: $0 < 5_000 ? 5_000 : 4_000) }
        #expect(zip(ids, ids.dropFirst()).allSatisfy { $0 < $1 && $0.description < $1.description })
        #expect(ids.allSatisfy { $0.milliseconds == 5_000 })
    }

    @Test func `two generators make different ids`() {
        var (one, other) = (TaskIDGenerator(), TaskIDGenerator())
        #expect(one.next(at: 1) != other.next(at: 1))
    }

    @Test func `ids continue above those of an earlier process, unless its clock was far ahead`() throws {
        let day: Int64 = 86_400_000
        var earlier = TaskIDGenerator()
        let newest = earlier.next(at: 10 * day)
        var generator = TaskIDGenerator()
        generator.rise(above: newest, at: 9 * day)
        let next = generator.next(at: 9 * day)
        #expect(next > newest && next.milliseconds == 10 * day)
        var other = TaskIDGenerator()
        other.rise(above: newest, at: 9 * day - 1)
        #expect(other.next(at: 9 * day - 1).milliseconds == 9 * day - 1)
        let older = try #require(TaskID("00ARZ3NDEKTSV4RRFFQ69G5FAV"))
        generator.rise(above: older, at: 9 * day)
        #expect(generator.next(at: 9 * day) > next)
    }
}
