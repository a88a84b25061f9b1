/// Kling's ids of tasks in a table, and the tasks' places by them. Kling's ids are numbers, which take eight bytes
/// each. The other ids, which some resellers make, are kept as text.
struct UpstreamIDs: Sendable {
    /// Stands for an id that is kept as text.
    private static let text = UInt64.max

    private var index = PlaceIndex()
    /// By place; empty for a number. As long as needed for the last id that is no number.
    private var texts: [String] = []

    /// The place of the task that Kling knows by an id.
    /// - Parameter number: the number of a place's task, as ``insert(_:at:numbers:)`` returned it.
    func place(of id: String, numbers: (Int) -> UInt64) -> Int? {
        let number = Self.number(id)
        return place(of: id, number, Self.hash(number, id), numbers)
    }

    private func place(of id: String, _ number: UInt64, _ hash: Int, _ numbers: (Int) -> UInt64) -> Int? {
        index.place(hash) { place in
            numbers(place) == number && (number != Self.text || texts[place] == id)
        }
    }

    /// The id of the task at a place.
    func id(at place: Int, _ number: UInt64) -> String { number == Self.text ? texts[place] : String(number) }

    /// Adds the id of the task at a place. If another task has the same id, it can't be found by it from now on.
    /// - Returns: the number to keep for the place.
    mutating func insert(_ id: String, at place: Int, numbers: (Int) -> UInt64) -> UInt64 {
        let number = Self.number(id)
        let hash = Self.hash(number, id)
        if number == Self.text {
            if texts.count <= place { texts += repeatElement("", count: place + 1 - texts.count) }
            texts[place] = id
        }
        if let other = self.place(of: id, number, hash, numbers) {
            index.replace(other, by: place, hash)
        } else {
            index.insert(place, hash) { Self.hash(numbers($0), at: $0, texts) }
        }
        return number
    }

    /// Removes the id of the task at a place.
    mutating func remove(_ place: Int, numbers: (Int) -> UInt64) {
        index.remove(place) { Self.hash(numbers($0), at: $0, texts) }
        if numbers(place) == Self.text { texts[place] = "" }
    }

    private static func hash(_ number: UInt64, at place: Int, _ texts: [String]) -> Int {
        number == text ? texts[place].hashValue : number.hashValue
    }

    private static func hash(_ number: UInt64, _ id: String) -> Int { number == text ? id.hashValue : number.hashValue }

    /// The number that is written like this id; ``text`` if there is none.
    private static func number(_ id: String) -> UInt64 {
        var id = id
        return id.withUTF8 { digits in
            var (number, isFirst) = (UInt64(0), true)
            for index in digits.indices {
                let digit = unsafe digits[index] &- UInt8(ascii: "0")
                guard digit <= 9, isFirst || number > 0 else { return text }
                let (tens, isLong) = number.multipliedReportingOverflow(by: 10)
                let (sum, isLonger) = tens.addingReportingOverflow(UInt64(digit))
                if isLong || isLonger { return text }
                (number, isFirst) = (sum, false)
            }
            return isFirst ? text : number
        }
    }
}
