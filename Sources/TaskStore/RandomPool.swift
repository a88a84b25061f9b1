internal import Glibc

/// The system's randomness, fetched many words at a time: one system call serves dozens of ids.
struct RandomPool: RandomNumberGenerator {
    /// `getentropy` returns at most 256 bytes per call.
    private static let words = 32

    private var pool: [UInt64] = []

    mutating func next() -> UInt64 {
        if pool.isEmpty { refill() }
        return pool.removeLast()
    }

    private mutating func refill() {
        pool = Array(repeating: 0, count: Self.words)
        // The array's own memory, which is valid until the closure returns.
        let result = unsafe pool.withUnsafeMutableBytes { bytes -> Int32 in
            guard let start = bytes.baseAddress else { return 0 }
            return unsafe getentropy(start, bytes.count)
        }
        precondition(result == 0, "the system has no randomness")
    }
}
