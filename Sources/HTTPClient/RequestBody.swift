internal import Base

/// A body made of ranges, and how much of it was handed out. It only moves forward: what cannot be rewound cannot be
/// sent twice.
struct RequestBody {
    private let slices: [ByteSlice]
    private var index = 0
    private var offset = 0
    /// The size of the body in bytes.
    let count: Int
    /// How many of them have been handed out.
    private(set) var handedOut = 0

    init(_ slices: [ByteSlice]) {
        self.slices = slices
        count = slices.reduce(0) { $0 + $1.count }
    }

    /// Copies the next bytes into `space` until it is full or the body ends; returns how many.
    mutating func read(into space: UnsafeMutableRawBufferPointer) -> Int {
        var filled = 0
        while filled < space.count, index < slices.count {
            let length = min(slices[index].count - offset, space.count - filled)
            unsafe slices[index].withUnsafeBytes { bytes in
                let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length])
                unsafe UnsafeMutableRawBufferPointer(rebasing: space[filled...]).copyMemory(from: part)
            }
            filled += length
            offset += length
            if offset == slices[index].count { (index, offset) = (index + 1, 0) }
        }
        handedOut += filled
        return filled
    }
}
