/// The gateway's own id of a task: a ULID, so that ids sort by creation time.
///
/// 48 bits of milliseconds since 1970 and 80 random bits; 16 bytes in the store, 26 Crockford letters in text.
public struct TaskID: Sendable, Hashable, Comparable, LosslessStringConvertible {
    let high: UInt64
    let low: UInt64

    /// The id of no task.
    public static let none = TaskID(high: 0, low: 0)

    /// Bounds below and above every id that is ever generated.
    static let first = TaskID(high: 0, low: 0)
    static let last = TaskID(high: .max, low: .max)

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Returns a lower bound of the ids generated at a time, in milliseconds since 1970, or later.
    static func first(at time: Int64) -> TaskID { TaskID(high: UInt64(max(0, min(time, 1 << 48 - 1))) << 16, low: 0) }

    /// When the id was made, in milliseconds since 1970.
    public var milliseconds: Int64 { Int64(high >> 16) }

    /// Hashes the random half alone: ids are looked up several times for each request.
    public func hash(into hasher: inout Hasher) { hasher.combine(low) }

    /// The random half, for hash tables of ids that gateways have made: nobody else can choose ids that collide there.
    public var randomBits: Int { Int(truncatingIfNeeded: low) }

    public static func < (one: TaskID, other: TaskID) -> Bool { (one.high, one.low) < (other.high, other.low) }

    /// The 26 letters.
    public var description: String {
        let alphabet = Self.alphabet
        return unsafe String(unsafeUninitializedCapacity: Self.letterCount) { letters in
            var (high, low) = (high, low)
            for index in stride(from: Self.letterCount - 1, through: 0, by: -1) {
                unsafe letters[index] = alphabet[Int(low & 31)]
                low = low >> 5 | high << 59
                high >>= 5
            }
            return Self.letterCount
        }
    }

    /// Reads 26 Crockford letters of either case.
    /// - Returns: nil for any other text, including one that exceeds 128 bits.
    public init?(_ text: String) {
        var (high, low, count) = (UInt64(0), UInt64(0), 0)
        for letter in text.utf8 {
            guard let value = Self.value(of: letter), count < Self.letterCount, count > 0 || value < 8 else {
                return nil
            }
            high = high << 5 | low >> 59
            low = low << 5 | value
            count += 1
        }
        guard count == Self.letterCount else { return nil }
        self.init(high: high, low: low)
    }

    private static let letterCount = 26
    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

    private static func value(of letter: UInt8) -> UInt64? {
        let isLowerCase = letter >= UInt8(ascii: "a") && letter <= UInt8(ascii: "z")
        return alphabet.firstIndex(of: isLowerCase ? letter - 32 : letter).map(UInt64.init)
    }
}

/// Generates ascending ids, even when several are generated within a millisecond or the clock steps back.
///
/// Generators need no coordination: the random bits keep their ids distinct.
public struct TaskIDGenerator: Sendable {
    private var last = TaskID.first
    private var random = RandomPool()

    /// Makes a generator.
    public init() {}

    /// How far ahead of the clock an id may be for later ids to continue above it, in milliseconds: one day. An id left
    /// by a clock that was years ahead is ignored.
    private static let reach: Int64 = 86_400_000

    /// Makes every later id greater than `id`, which another generator made, unless `id` is far ahead of the clock.
    /// - Parameter milliseconds: the time since 1970.
    public mutating func rise(above id: TaskID, at milliseconds: Int64) {
        if id > last, id.milliseconds - milliseconds <= Self.reach { last = id }
    }

    /// Generates the next id, which is greater than every previous one.
    /// - Parameter milliseconds: the time since 1970.
    public mutating func next(at milliseconds: Int64) -> TaskID {
        if milliseconds > last.milliseconds {
            let high = UInt64(truncatingIfNeeded: milliseconds) << 16 | UInt64.random(in: 0...0x7FFF, using: &random)
            last = TaskID(high: high, low: random.next())
        } else {
            // A random step keeps neighboring ids from being guessed.
            let (low, overflow) = last.low.addingReportingOverflow(.random(in: 1...(1 << 40), using: &random))
            last = TaskID(high: last.high + (overflow ? 1 : 0), low: low)
        }
        return last
    }
}
