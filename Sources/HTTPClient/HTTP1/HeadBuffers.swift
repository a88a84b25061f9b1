/// Buffers that heads were rendered into, kept for their capacity.
struct HeadBuffers {
    private var spare: [[UInt8]] = []

    private static let maximum = 64
    private static let largest = 8 << 10

    /// A buffer, whose content is of no use.
    mutating func take() -> [UInt8] { spare.popLast() ?? [] }

    /// Keeps a buffer unless it is large, or enough are kept.
    mutating func giveBack(_ buffer: [UInt8]) {
        if buffer.capacity > 0, buffer.capacity <= Self.largest, spare.count < Self.maximum { spare.append(buffer) }
    }
}
