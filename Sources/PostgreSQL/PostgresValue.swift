/// A value of a statement's parameter. Its type in SQL is known even if it is NULL.
public enum PostgresValue: Sendable, Equatable {
    /// `bigint`.
    case integer(Int64?)
    /// `text`.
    case text(String?)
    /// `bytea`.
    case bytes([UInt8]?)
    /// `uuid`.
    case uuid(UUIDBytes?)

    /// The two halves of 16 bytes.
    public struct UUIDBytes: Sendable, Equatable {
        public let high: UInt64
        public let low: UInt64

        public init(high: UInt64, low: UInt64) { (self.high, self.low) = (high, low) }
    }

    /// The type's number in the server's catalog (`pg_type.dat`).
    var type: UInt32 {
        switch self {
        case .integer: 20
        case .text: 25
        case .bytes: 17
        case .uuid: 2950
        }
    }
}

/// The values of one run of a statement, in the server's binary format.
struct EncodedValues {
    private var bytes: [UInt8] = []
    /// Where each value is in ``bytes``; nil: NULL.
    private var ranges: [Range<Int>?] = []

    init(_ values: [PostgresValue]) {
        ranges.reserveCapacity(values.count)
        for value in values {
            let start = bytes.count
            let isNull = !append(value)
            ranges.append(isNull ? nil : start..<bytes.count)
        }
        // A value that is not NULL needs an address, even if it is empty.
        bytes.append(0)
    }

    /// Lends the values as libpq takes them: their addresses, lengths and formats.
    func withPointers<Result>(
        _ body: (Int32, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?) -> Result
    ) -> Result {
        unsafe bytes.withUnsafeBytes { buffer in
            let start = unsafe buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
            let addresses = unsafe ranges.map { range in
                unsafe range.flatMap { unsafe start?.advanced(by: $0.lowerBound) }
            }
            let lengths = ranges.map { Int32($0?.count ?? 0) }
            let formats = [Int32](repeating: 1, count: ranges.count)
            return unsafe body(Int32(ranges.count), addresses, lengths, formats)
        }
    }

    /// - Returns: false for NULL.
    private mutating func append(_ value: PostgresValue) -> Bool {
        switch value {
        case .integer(let number?): append(UInt64(bitPattern: number))
        case .text(let text?): bytes.append(contentsOf: text.utf8)
        case .bytes(let blob?): bytes.append(contentsOf: blob)
        case .uuid(let id?):
            append(id.high)
            append(id.low)
        case .integer(nil), .text(nil), .bytes(nil), .uuid(nil): return false
        }
        return true
    }

    private mutating func append(_ number: UInt64) {
        for shift in stride(from: UInt64(56), through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }
}
