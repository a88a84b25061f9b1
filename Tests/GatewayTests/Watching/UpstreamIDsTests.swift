import Testing

@testable import Gateway

struct UpstreamIDsTests {
    /// The ids, with the numbers that their owner keeps for them by place.
    private struct Table {
        var ids = UpstreamIDs()
        var numbers: [UInt64] = []

        mutating func add(_ id: String, at place: Int) {
            while numbers.count <= place { numbers.append(0) }
            numbers[place] = ids.insert(id, at: place) { [numbers] in numbers[$0] }
        }

        mutating func remove(at place: Int) { ids.remove(place) { [numbers] in numbers[$0] } }

        func id(at place: Int) -> String { ids.id(at: place, numbers[place]) }
        func place(_ id: String) -> Int? { ids.place(of: id) { numbers[$0] } }
    }

    private static let kinds = [
        "831922345719271433", "0", "7", "007", "", "18446744073709551614", "18446744073709551615",
        "18446744073709551616", "99999999999999999999999", "-1", "+1", " 1", "1 ", "1e3", "\u{661}",
        "9f1c1a52-5b53-4b0e-9a2b-6a3f4f1e7a10", "task-1", "Task-1",
    ]

    @Test func `every id comes back as it was, and finds its own task`() {
        var table = Table()
        for (place, id) in Self.kinds.enumerated() { table.add(id, at: place) }
        for (place, id) in Self.kinds.enumerated() {
            #expect(table.id(at: place) == id)
            #expect(table.place(id) == place)
        }
        for id in ["1", "00", "8319223457192714330", "task-2"] { #expect(table.place(id) == nil) }
    }

    @Test func `an id that was removed finds nothing, and its place can get another one`() {
        var table = Table()
        for (place, id) in Self.kinds.enumerated() { table.add(id, at: place) }
        for place in stride(from: 0, to: Self.kinds.count, by: 2) { table.remove(at: place) }
        for (place, id) in Self.kinds.enumerated() { #expect(table.place(id) == (place % 2 == 0 ? nil : place)) }
        table.add("text", at: 0)
        table.add("12", at: 2)
        #expect(table.place("text") == 0 && table.place("12") == 2 && table.place("7") == nil)
    }

    @Test(arguments: ["5", "five"])
    func `of two tasks with one id the later is found, and each keeps the id`(id: String) {
        var table = Table()
        table.add(id, at: 0)
        table.add(id, at: 1)
        #expect(table.place(id) == 1)
        #expect(table.id(at: 0) == id && table.id(at: 1) == id)
        table.remove(at: 0)
        #expect(table.place(id) == 1)
        table.remove(at: 1)
        #expect(table.place(id) == nil)
    }

    @Test func `a hundred thousand numbers are told apart`() {
        var table = Table()
        table.numbers = Array(repeating: 0, count: 100_000)
        let first = 831_922_345_719_271_433
        for place in 0..<100_000 {
            let number = table.ids.insert("\(first + place * 1_000)", at: place) { table.numbers[$0] }
            table.numbers[place] = number
        }
        #expect((0..<100_000).allSatisfy { table.place("\(first + $0 * 1_000)") == $0 })
        #expect(table.place("\(first + 1)") == nil)
    }
}
