internal import Base
internal import Glibc

/// The rest of an answer that is being written: rendered bytes, then ranges of blocks.
struct Output {
    private var rendered: [UInt8]
    private var renderedOffset = 0
    private var slices: [ByteSlice]
    private var sliceIndex = 0
    private var sliceOffset = 0
    private var rate: RateDeadline?

    /// The most parts handed to the system in one call.
    private static let partsPerCall = 32

    init(rendered: [UInt8], slices: [ByteSlice]) {
        self.rendered = rendered
        self.slices = slices
    }

    /// Writes until everything is written, or the socket has no room.
    /// - Returns: how many bytes were written, and the outcome of the last call (`bytes` if everything is written).
    mutating func write(to transport: Transport) -> (count: Int, outcome: Transport.Outcome) {
        var total = 0
        while !isEmpty {
            let outcome = writeOnce(to: transport)
            guard case .bytes(let count) = outcome else { return (total, outcome) }
            total += count
            advance(by: count)
        }
        return (total, .bytes(total))
    }

    /// The time from which the client is too slow in reading the rest. It runs from the first call.
    /// - Parameter count: how many bytes were written since the last call.
    mutating func deadline(after count: Int, _ configuration: HTTPServerConfiguration) -> MonotonicTime {
        var known =
            rate
            ?? RateDeadline(
                from: .now, allowance: configuration.bodyTimeout, bytesPerSecond: configuration.minimumRate)
        known.transferred(count)
        rate = known
        return known.due
    }

    /// Returns the rendered bytes, so that their capacity can be reused.
    consuming func takeRendered() -> [UInt8] { rendered }

    private var isEmpty: Bool { renderedOffset == rendered.count && sliceIndex == slices.count }

    private func writeOnce(to transport: Transport) -> Transport.Outcome {
        // A block's bytes do not move, and `slices` keeps the blocks alive beyond the call.
        unsafe withUnsafeTemporaryAllocation(of: iovec.self, capacity: Self.partsPerCall) { parts in
            unsafe rendered.withUnsafeBytes { bytes in
                var used = 0
                func add(_ part: UnsafeRawBufferPointer) {
                    unsafe parts.initializeElement(
                        at: used,
                        to: iovec(iov_base: UnsafeMutableRawPointer(mutating: part.baseAddress), iov_len: part.count))
                    used += 1
                }
                if renderedOffset < bytes.count { unsafe add(.init(rebasing: bytes[renderedOffset...])) }
                for index in slices[sliceIndex...].indices.prefix(Self.partsPerCall - 1) {
                    unsafe slices[index].withUnsafeBytes { part in
                        unsafe add(.init(rebasing: part[(index == sliceIndex ? sliceOffset : 0)...]))
                    }
                }
                return unsafe transport.send(.init(rebasing: parts[..<used]))
            }
        }
    }

    private mutating func advance(by count: Int) {
        let fromRendered = min(count, rendered.count - renderedOffset)
        renderedOffset += fromRendered
        sliceOffset += count - fromRendered
        while sliceIndex < slices.count, sliceOffset >= slices[sliceIndex].count {
            sliceOffset -= slices[sliceIndex].count
            sliceIndex += 1
        }
    }
}
